import { gunzipSync } from "node:zlib";
import type { Core, Trace } from "./core.ts";
import type { createFaults, FaultAction } from "./faults.ts";
import type { Area, Ledger, RequestRecord } from "./ledger.ts";
import { type Incoming, json, type Outgoing, text } from "./message.ts";
import { type HostName, placeOf } from "./routes.ts";

/** What leaves the simulator for one request. */
export type Delivery =
  | { kind: "answer"; outgoing: Outgoing; truncate?: number }
  /** The connection is cut. */
  | { kind: "cut" }
  /** Nothing is ever sent; the connection stays. */
  | { kind: "silence" };

export interface Areas {
  accounts(incoming: Incoming, trace: Trace): Outgoing;
  ads(incoming: Incoming, trace: Trace): Outgoing;
  conversions(incoming: Incoming, trace: Trace): Outgoing;
  pixel(incoming: Incoming, trace: Trace): Outgoing | Promise<Outgoing>;
  control(incoming: Incoming): Outgoing;
}

/** A request before its body is text. */
export interface RawRequest extends Omit<Incoming, "body"> {
  body: Buffer;
  /** The body was longer than the limit and was not kept. */
  tooLarge: boolean;
  /** The host it was sent to, where each host has an origin of its own. */
  host: HostName | undefined;
}

/**
 * One request from arrival to answer: faults, the area's judgement, the ledger. The same for a socket and for
 * `simulator.fetch`.
 */
export function createExchange(
  core: Core,
  areas: Areas,
  ledger: Ledger,
  faults: ReturnType<typeof createFaults>,
  sleep: (ms: number) => Promise<void>,
) {
  let number = 0;

  return {
    receive,
    reset() {
      number = 0;
    },
  };

  async function receive(raw: RawRequest): Promise<Delivery> {
    const { area, host } = placeOf(raw.path);
    if (area === "control")
      return { kind: "answer", outgoing: areas.control({ ...raw, body: raw.body.toString("utf8") }) };
    const body = bodyOf(raw);
    const incoming: Incoming = { ...raw, body: typeof body === "string" ? body : "" };
    number += 1;
    const trace: Trace = {
      number,
      area,
      credential: area === "accounts" || area === "pixel" ? undefined : credentialOf(incoming),
      requestId: requestIdOf(core),
    };
    const at = core.now();
    if (trace.credential) arrived(trace, at);
    const caller = { area, tokenId: trace.credential?.id, tokenKind: kindOf(trace) };
    const fault = faults.pick(incoming, caller);
    if (fault?.action.delayMs !== undefined) await sleep(fault.action.delayMs);
    const delivery = await deliver(raw, incoming, trace, host, body, fault?.action);
    if (core.knobs.latencyMs > 0) await sleep(core.knobs.latencyMs);
    ledger.record(recordOf(incoming, trace, at, delivery, fault?.id));
    return delivery;
  }

  async function deliver(
    raw: RawRequest,
    incoming: Incoming,
    trace: Trace,
    host: HostName | undefined,
    body: string | Outgoing,
    action: FaultAction | undefined,
  ): Promise<Delivery> {
    if (action?.halfOpen) return { kind: "silence" };
    if (action?.reset) return { kind: "cut" };
    if (action?.status !== undefined) return { kind: "answer", outgoing: faultAnswer(action) };
    const wrongHost = host === undefined || (raw.host !== undefined && raw.host !== host);
    const outgoing = wrongHost
      ? text(404, "Not Found")
      : typeof body !== "string"
        ? body
        : await areas[trace.area as Exclude<Area, "control">](incoming, trace);
    finishHeaders(outgoing, trace);
    outgoing.headers = { ...outgoing.headers, date: new Date(core.now()).toUTCString() };
    if (action?.timeoutAfterAcceptance) {
      return { kind: action.timeoutAfterAcceptance === "hang" ? "silence" : "cut" };
    }
    if (action?.wrongContentType) {
      outgoing.contentType = action.wrongContentType === true ? "text/html" : action.wrongContentType;
    }
    if (action?.headers) outgoing.headers = { ...outgoing.headers, ...action.headers };
    return {
      kind: "answer",
      outgoing,
      ...(action?.truncate === undefined ? {} : { truncate: action.truncate }),
    };
  }

  /** The body as text, or the answer where it cannot be one. */
  function bodyOf(raw: RawRequest): string | Outgoing {
    const { maxBodyBytes, gzipRequests } = core.knobs;
    if (raw.tooLarge) return text(413, "Payload Too Large");
    const encoding = raw.headers["content-encoding"];
    if (encoding === undefined || encoding === "identity") return raw.body.toString("utf8");
    if (encoding !== "gzip" || gzipRequests === "reject") return text(415, "Unsupported Media Type");
    try {
      return gunzipSync(raw.body, { maxOutputLength: maxBodyBytes }).toString("utf8");
    } catch {
      return text(400, "Bad Request");
    }
  }

  /** Whose request it is. The query wins; both at once is what one peer does in production. */
  function credentialOf(incoming: Incoming): Trace["credential"] {
    const authorization = incoming.headers.authorization ?? "";
    const bearer = authorization.startsWith("Bearer ") ? authorization.slice(7) : undefined;
    const inQuery = incoming.path.startsWith("/v3/") ? incoming.query.get("access_token") : null;
    const token = inQuery ?? bearer;
    if (!token) return undefined;
    return core.tokens.access.get(token) ?? core.index.conversionsTokens.get(token);
  }

  function arrived(trace: Trace, at: number): void {
    const { credential } = trace;
    if (!credential) return;
    ledger.arrived(`token:${credential.id}`, at);
    if ("kind" in credential) ledger.arrived(`app:${credential.app.clientId}`, at);
  }
}

function kindOf(trace: Trace): string | undefined {
  if (!trace.credential) return undefined;
  return "kind" in trace.credential ? "oauth" : "conversions_token";
}

function requestIdOf(core: Core): string {
  if (core.knobs.requestIds === "uuid") return core.random.uuid();
  return Buffer.from(core.random.text(50)).toString("hex");
}

/** What the real gateway adds to every answer of the Marketing API. */
function finishHeaders(outgoing: Outgoing, trace: Trace): void {
  if (trace.area !== "ads") return;
  outgoing.headers = {
    ...outgoing.headers,
    "x-request-id": trace.requestId,
    server: "API Gateway",
    via: "1.1 google",
  };
}

function faultAnswer(action: FaultAction): Outgoing {
  const { status = 503, body, contentType, headers } = action;
  const outgoing: Outgoing =
    typeof body === "object"
      ? json(status, body)
      : text(status, body ?? (status >= 500 ? "upstream connect error or disconnect/reset before headers" : ""));
  if (contentType !== undefined) outgoing.contentType = contentType;
  if (headers) outgoing.headers = headers;
  return outgoing;
}

function recordOf(
  incoming: Incoming,
  trace: Trace,
  at: number,
  delivery: Delivery,
  fault: string | undefined,
): RequestRecord {
  const { credential, items, limitedBy } = trace;
  return {
    number: trace.number,
    at,
    area: trace.area,
    method: incoming.method,
    path: incoming.path,
    ...(credential ? { token: credential.id } : {}),
    ...(credential && "kind" in credential ? { app: credential.app.clientId } : {}),
    status: delivery.kind === "answer" ? delivery.outgoing.status : 0,
    requestId: trace.requestId,
    ...(items === undefined ? {} : { items }),
    ...(fault === undefined ? {} : { fault }),
    ...(limitedBy === undefined ? {} : { limitedBy }),
  };
}
