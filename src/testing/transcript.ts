import { SnapchatError } from "../errors.ts";

/**
 * Where an exchange comes from: `seen`, somebody received it from the live API; `documented`, Snapchat's pages print
 * it; `schema`, it is filled in after a published schema.
 */
export type Provenance = "seen" | "documented" | "schema";

/** One request and what came back. */
export interface Exchange {
  /**
   * Method and URL, redacted: `POST https://tr.snapchat.com/v3/{asset}/events?access_token={token}`. A part in braces
   * stands for any text without a slash.
   */
  request: string;
  response: {
    status: number;
    headers?: Readonly<Record<string, string>>;
    /** A text is sent as it is; anything else as JSON. */
    body: unknown;
  };
  provenance: Provenance;
  /** What is known and what is filled in. */
  note?: string;
}

/** Answers of the live API, kept as JSON: no token, no person, no id of a real account. */
export interface Transcript {
  format: "transcript/1";
  title: string;
  exchanges: readonly Exchange[];
}

/** What of nock 15 a replay needs. */
export type NockLike = (origin: string) => {
  /** Waits for a request that the function takes. */
  intercept(
    uri: (uri: string) => boolean,
    method: string,
  ): {
    /** What it is answered. */
    reply(status: number, body: () => string, headers: Record<string, string>): unknown;
  };
};

/** A running replay. */
export interface Replay {
  /** Request lines that nobody has asked yet. */
  readonly remaining: readonly string[];
}

/**
 * Reads a transcript.
 *
 * @throws {SnapchatError} `transcript_invalid` (fix_data) where it is none, or where it holds something that looks like
 * a token.
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { readTranscript } from "snapchat-destination/testing";
 *
 * const { exchanges } = readTranscript(readFileSync("snapchat-transcript.json", "utf8"));
 * console.log(`${exchanges.length} requests were recorded`);
 * ```
 */
export function readTranscript(text: string): Transcript {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw invalid("it is not JSON");
  }
  if (!isRecord(parsed) || parsed.format !== "transcript/1") throw invalid("its format is not transcript/1");
  if (typeof parsed.title !== "string" || !Array.isArray(parsed.exchanges)) {
    throw invalid("it needs a title and a list of exchanges");
  }
  for (const [index, exchange] of parsed.exchanges.entries()) checkExchange(exchange, index);
  return parsed as unknown as Transcript;
}

/**
 * Lets nock answer as the transcript says: each exchange once, in its order among those of one address.
 *
 * @example
 * ```ts
 * import { readTranscript, replayTranscript } from "snapchat-destination/testing";
 * import nock from "nock";
 *
 * const transcript = readTranscript('{"format":"transcript/1","title":"empty","exchanges":[]}');
 * const replay = replayTranscript(nock, transcript);
 * console.log(replay.remaining); // [] once everything was asked for
 * ```
 */
export function replayTranscript(nock: NockLike, transcript: Transcript): Replay {
  const remaining: string[] = [];
  for (const { request, response } of transcript.exchanges) {
    const { method, origin, matches } = parseLine(request);
    remaining.push(request);
    const isText = typeof response.body === "string";
    const body = isText ? (response.body as string) : JSON.stringify(response.body);
    const answer = () => {
      remaining.splice(remaining.indexOf(request), 1);
      return body;
    };
    const headers = { "content-type": isText ? "text/plain" : "application/json", ...response.headers };
    nock(origin).intercept(matches, method).reply(response.status, answer, headers);
  }
  return { remaining };
}

const LINE = /^(GET|POST|PUT|DELETE) (https:\/\/[a-z0-9.-]+)(\/[^\s?]*)(?:\?(\S*))?$/;

/** A request line as something to match with. */
function parseLine(line: string): { method: string; origin: string; matches(uri: string): boolean } {
  const found = LINE.exec(line);
  if (!found) throw invalid(`"${line}" is not a request line`);
  const [, method = "", origin = "", path = "", query = ""] = found;
  const pathPattern = patternOf(path);
  const wanted = query === "" ? [] : query.split("&").map((pair) => pair.split("=", 2) as [string, string | undefined]);
  return {
    method,
    origin,
    matches(uri) {
      const url = new URL(uri, origin);
      if (!pathPattern.test(url.pathname)) return false;
      return wanted.every(([name, value = ""]) => {
        const given = url.searchParams.get(name);
        return given !== null && patternOf(value).test(given);
      });
    },
  };
}

/** `/v3/{asset}/events` as a pattern over the whole text. */
function patternOf(text: string): RegExp {
  const parts = text.split(/\{[^}]*\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^/]+")}$`);
}

const PROVENANCES: ReadonlySet<unknown> = new Set(["seen", "documented", "schema"]);
const TOKEN_IN_LINE = /(?:access_token|client_secret|refresh_token|code)=(?!\{)[^&\s]/;
const TOKEN_IN_BODY = /eyJ[\w-]{20,}|"(?:access_token|refresh_token)":"(?!\{)[\w.-]{40,}"/;

function checkExchange(exchange: unknown, index: number): void {
  const where = `exchange ${index + 1}`;
  if (!isRecord(exchange) || typeof exchange.request !== "string") throw invalid(`${where} has no request line`);
  if (TOKEN_IN_LINE.test(exchange.request)) throw invalid(`the request line of ${where} holds a secret`);
  parseLine(exchange.request);
  const { response, provenance } = exchange;
  if (!isRecord(response) || typeof response.status !== "number" || !("body" in response)) {
    throw invalid(`${where} has no response with status and body`);
  }
  if (!PROVENANCES.has(provenance)) throw invalid(`${where} does not say where it comes from`);
  if (TOKEN_IN_BODY.test(JSON.stringify(response.body)))
    throw invalid(`the body of ${where} holds what looks like a token`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(why: string): SnapchatError {
  return new SnapchatError({
    code: "transcript_invalid",
    kind: "fix_data",
    message: `The transcript cannot be used: ${why}.`,
    fix: "Correct the file; docs of `readTranscript` name the shape.",
  });
}
