import type { Clock } from "../../../src/clock.ts";
import { SnapchatError } from "../../../src/errors.ts";
import type { HttpClient, HttpRequest, HttpResponse } from "../../../src/http/index.ts";

export const HOUR = 3_600_000;
/** How long Snapchat recognises an event id. */
export const MEMORY_MS = 48 * HOUR;

/** One request as it left a sender, whatever became of it. */
export interface Left {
  atMs: number;
  token: string;
  worker: string;
}

/** What Snapchat holds of one event id. */
interface Known {
  countedAt: number;
  counts: number;
}

export type Random = () => number;

export interface ModelOptions {
  /** Time at Snapchat. */
  clock: Clock;
  random: Random;
  /** Share of requests that something happens to. */
  faults: () => number;
  /** False: the token is refused. */
  accepts: (token: string) => boolean;
  note: (text: string) => void;
}

/**
 * Snapchat as far as delivery can tell: counts an event id once in 48 hours, keeps sets of members, refuses, fails,
 * answers late, and lets a request land long after its sender gave up.
 */
export function createSnapchatModel({ clock, random, faults, accepts, note }: ModelOptions) {
  const events = new Map<string, Known>();
  const firstTaken = new Map<string, number>();
  const segments = new Map<string, { description: string; members: Set<string> }>();
  let made = 0;
  const left: Left[] = [];
  /** When each event last left a sender, wall clock. */
  const lastLeft = new Map<string, number>();

  function take(eventId: string): void {
    const now = clock.now();
    const known = events.get(eventId);
    if (!firstTaken.has(eventId)) firstTaken.set(eventId, now);
    if (known && now - known.countedAt <= MEMORY_MS) return;
    events.set(eventId, { countedAt: now, counts: (known?.counts ?? 0) + 1 });
  }

  /** What the request does at Snapchat, and what Snapchat answers to it. */
  function effect(request: HttpRequest): { status: number; json: unknown } {
    const url = new URL(request.url);
    const body = typeof request.body === "string" ? (JSON.parse(request.body) as Record<string, unknown>) : {};
    if (url.pathname.endsWith("/events")) {
      const data = body.data as { event_id: string; bad?: boolean }[];
      if (data.some((event) => event.bad)) return invalid(data);
      for (const event of data) take(event.event_id);
      return { status: 200, json: { status: "VALID" } };
    }
    if (url.pathname.endsWith("/events/validate")) return invalid(body.data as { bad?: boolean }[]);
    if (url.pathname.endsWith("/users")) {
      const id = url.pathname.split("/")[3] ?? "";
      const [{ schema, data }] = body.users as [{ schema: string[]; data: string[][] }];
      const segment = segments.get(id);
      if (!segment) return { status: 404, json: { request_status: "ERROR", error_code: "E3003" } };
      for (const [hash] of data) {
        if (request.method === "POST") segment.members.add(`${schema[0]} ${hash}`);
        else segment.members.delete(`${schema[0]} ${hash}`);
      }
      return success("users", "user", [{ number_uploaded_users: data.length }]);
    }
    if (request.method === "POST") {
      const [{ name, description }] = body.segments as [{ name: string; description: string }];
      const id = String(++made);
      segments.set(id, { description, members: new Set() });
      return success("segments", "segment", [{ id, name, description }]);
    }
    const all = [...segments].map(([id, { description }]) => ({ id, description, name: "" }));
    return success("segments", "segment", all);
  }

  function client(worker: string): HttpClient {
    return {
      async request(request) {
        const token = tokenOf(request);
        left.push({ atMs: clock.monotonic(), token, worker });
        if (new URL(request.url).pathname.endsWith("/events") && typeof request.body === "string") {
          const { data } = JSON.parse(request.body) as { data: { event_id: string }[] };
          for (const { event_id } of data) lastLeft.set(event_id, clock.now());
        }
        const answer = await answerOf(request, token, worker);
        return response(answer.status, answer.json);
      },
    };
  }

  async function answerOf(
    request: HttpRequest,
    token: string,
    worker: string,
  ): Promise<{ status: number; json: unknown }> {
    const { signal, timeoutMs = 15_000 } = request;
    const latencyMs = 20 + random() * 600;
    const fault = random() < faults() ? Math.floor(random() * 9) : -1;
    if (fault >= 0) note(`${worker} ${request.label}: fault ${fault}`);
    const wait = async (ms: number) => {
      await clock.sleep(Math.min(ms, timeoutMs), signal);
      if (signal?.aborted) throw httpFailure("aborted", "maybe");
      if (ms >= timeoutMs) throw httpFailure("request_timeout", "maybe");
    };
    /** The request lands although nobody waits for it any more. */
    const later = (ms: number) => void clock.sleep(ms).then(() => accepts(token) && effect(request));
    switch (fault) {
      case 0:
        throw httpFailure("network_error", "no");
      case 1:
        await wait(latencyMs);
        throw httpFailure("network_error", "maybe");
      case 2:
        await wait(latencyMs);
        if (accepts(token)) effect(request);
        throw httpFailure("network_error", "maybe");
      case 3:
        await wait(latencyMs);
        return { status: 503, json: undefined };
      case 4:
        await wait(latencyMs);
        if (accepts(token)) effect(request);
        return { status: 500, json: undefined };
      case 5:
        await wait(latencyMs);
        return { status: 429, json: { message: "slow down" } };
      case 6:
        // Taken at once, the answer never comes.
        if (accepts(token)) effect(request);
        await wait(timeoutMs + 1);
        break;
      case 7:
        // Taken after the sender gave up.
        later(timeoutMs + random() * 25_000);
        await wait(timeoutMs + 1);
        break;
      case 8:
        await wait(latencyMs);
        if (accepts(token)) effect(request);
        return { status: 200, json: "<html>" };
    }
    await wait(latencyMs / 2);
    const answer = accepts(token) ? effect(request) : { status: 401, json: { message: "unauthorized" } };
    await wait(latencyMs / 2);
    return answer;
  }

  return { client, events, firstTaken, segments, left, lastLeft };
}

export type SnapchatModel = ReturnType<typeof createSnapchatModel>;

function invalid(data: readonly { bad?: boolean }[]): { status: number; json: unknown } {
  const logs = data.map((event, index) => ({
    event: index + 1,
    status: event.bad ? "INVALID" : "VALID",
    ...(event.bad ? { error_msgs: ["value is missing"] } : {}),
  }));
  const bad = data.some((event) => event.bad);
  return {
    status: bad ? 400 : 200,
    json: { status: bad ? "INVALID" : "VALID", event_logs: logs, reason: bad ? "value is missing" : "" },
  };
}

function success(plural: string, singular: string, entities: unknown[]): { status: number; json: unknown } {
  const wrapped = entities.map((entity) => ({ sub_request_status: "SUCCESS", [singular]: entity }));
  return { status: 200, json: { request_status: "SUCCESS", [plural]: wrapped } };
}

function response(status: number, json: unknown): HttpResponse {
  return {
    status,
    headers: new Headers(),
    text: json ? JSON.stringify(json) : "",
    json,
    requestId: "r",
    durationMs: 1,
    withoutSent: (text) => text,
  };
}

function tokenOf(request: HttpRequest): string {
  const query = new URL(request.url).searchParams.get("access_token");
  return query ?? request.headers?.authorization?.replace("Bearer ", "") ?? "";
}

function httpFailure(code: string, sent: "no" | "maybe"): SnapchatError {
  return new SnapchatError({ code, kind: "retry", message: code, fix: "", details: { sent } });
}
