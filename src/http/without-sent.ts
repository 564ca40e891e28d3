import type { HttpRequest } from "./client.ts";

/** Shorter values are words of any text. */
const SHORTEST = 6;
/** An answer may hold the beginning of a value. */
const BEGINNING = 16;
/** What an answer may repeat of an event: it names no one, and says which event is meant. */
const KEPT = new Set(["event_name", "action_source", "event_id", "integration"]);

interface Sent {
  name: string;
  value: string;
}

/**
 * Takes out of Snapchat's words what the request itself held: the token, a form's fields, the values of events, each by its
 * field's name: `Bad value [client_user_agent]`. What was sent is looked at when the first words come, so a request that
 * nobody complains of costs nothing.
 */
export function withoutSent(request: Pick<HttpRequest, "url" | "headers" | "body">): (text: string) => string {
  let known: ReadonlyMap<string, readonly Sent[]> | undefined;
  return (text) => {
    known ??= byBeginning(sentIn(request));
    return known.size === 0 ? text : replaced(text, known);
  };
}

function replaced(text: string, known: ReadonlyMap<string, readonly Sent[]>): string {
  const folded = fold(text);
  let safe = "";
  let from = 0;
  for (let at = 0; at + SHORTEST <= text.length; ) {
    const found = longest(folded, at, known.get(folded.slice(at, at + SHORTEST)) ?? []);
    if (found === undefined) {
      at++;
      continue;
    }
    safe += `${text.slice(from, at)}[${found.name}]`;
    at += found.length;
    from = at;
  }
  return safe + text.slice(from);
}

function longest(text: string, at: number, sent: readonly Sent[]): { name: string; length: number } | undefined {
  let best: { name: string; length: number } | undefined;
  for (const { name, value } of sent) {
    let length = SHORTEST;
    while (length < value.length && text[at + length] === value[length]) length++;
    if (length < value.length && length < BEGINNING) continue;
    if (best === undefined || length > best.length) best = { name, length };
  }
  return best;
}

function byBeginning(sent: Iterable<Sent>): Map<string, Sent[]> {
  const known = new Map<string, Sent[]>();
  for (const { name, value } of sent) {
    // Half of a surrogate pair comes back as a replacement character.
    const whole = value.toWellFormed();
    for (const form of new Set([whole, encodeURIComponent(whole)].map(fold))) {
      if (form.length < SHORTEST) continue;
      const beginning = form.slice(0, SHORTEST);
      const others = known.get(beginning);
      if (others === undefined) known.set(beginning, [{ name, value: form }]);
      else if (!others.some((other) => other.value === form)) others.push({ name, value: form });
    }
  }
  return known;
}

/** In lower case, where that keeps every character's place. */
function fold(text: string): string {
  const lower = text.toLowerCase();
  return lower.length === text.length ? lower : text;
}

function* sentIn({ url, headers = {}, body }: Pick<HttpRequest, "url" | "headers" | "body">): Generator<Sent> {
  for (const [name, value] of new URL(url).searchParams) yield { name, value };
  const authorization = headers.authorization ?? "";
  yield { name: "access_token", value: authorization.slice(authorization.indexOf(" ") + 1) };
  if (typeof body !== "string") return;
  if (headers["content-type"] === "application/x-www-form-urlencoded") {
    for (const [name, value] of new URLSearchParams(body)) yield { name, value };
  } else if (body.startsWith('{"data":')) {
    yield* valuesOf(parsed(body), "data");
  }
}

function parsed(body: string): unknown {
  try {
    return (JSON.parse(body) as { data: unknown }).data;
  } catch {
    return undefined;
  }
}

function* valuesOf(value: unknown, name: string): Generator<Sent> {
  if (typeof value === "string") yield { name, value };
  else if (Array.isArray(value)) for (const item of value) yield* valuesOf(item, name);
  else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) if (!KEPT.has(key)) yield* valuesOf(inner, key);
  }
}
