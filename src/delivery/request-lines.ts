import type { Context } from "./context.ts";
import type { Line } from "./events-entry.ts";
import type { EventOutcome, RequestRecord } from "./interfaces.ts";
import type { Job } from "./job.ts";
import { type JournalAnswer, type RequestLine, sampled } from "./journal-line.ts";
import type { StoredEvent } from "./payload.ts";

/** The lines of a claim's requests, written once its outcome is stored. */
export interface RequestLines {
  /** What one call of the sender did: its requests, and what came of each event. */
  events(batch: readonly Line[], outcomes: readonly EventOutcome[], requests: readonly RequestRecord[]): void;
  /** One page of members; `items` are identifiers, the events are all of the claim that ask for this change. */
  members(
    page: { op: "add" | "remove"; items: number; eventIds: () => readonly string[] },
    answer: MembersAnswer,
  ): void;
  /** The segment was made; the events are all of the claim. It is also found by `segment:<key>`. */
  segmentMade(segment: { key: string; name: string }, segmentId: string, eventIds: () => readonly string[]): void;
  /** It could not be made. */
  segmentNotMade(answer: MembersAnswer, eventIds: () => readonly string[]): void;
  /** A claim whose changes Snapchat holds already. */
  unchanged(eventIds: () => readonly string[]): void;
  write(): void;
}

interface MembersAnswer {
  status: JournalAnswer["status"];
  startedMs: number;
  httpStatus?: number | undefined;
  requestId?: string | undefined;
  code?: string | undefined;
  message?: string | undefined;
}

/** Purpose of the line of a segment that was made, or could not be. */
export const MADE = "segments/create";

const NOTHING: RequestLines = {
  events() {},
  members() {},
  segmentMade() {},
  segmentNotMade() {},
  unchanged() {},
  write() {},
};

/** Collects one journal line per request. Ids are those of the sample; what failed for good has a line of its own. */
export function requestLines(context: Context, job: Job): RequestLines {
  const { journal, settings, clock } = context;
  if (!journal.active || settings.journalShare <= 0) return NOTHING;
  const { destinationId, name: group } = job.claim.group;
  const share = settings.journalShare;
  let requests = 0;
  const collected: { ids: readonly string[]; line: RequestLine }[] = [];

  function add(ids: readonly string[], line: Omit<RequestLine, "type" | "id" | "atMs" | "group">): void {
    const id = `${job.claim.id}/${requests++}`;
    collected.push({ ids, line: { type: "request", id, atMs: clock.now(), group, ...line } });
  }

  return {
    events(batch, outcomes, requests) {
      const answers = Map.groupBy(batch.entries(), ([at]) => outcomes[at]?.requestId);
      // The Conversions API gives no request ids: of several requests the last one decided about most events.
      const decisive = requests.findLast(({ purpose }) => purpose !== "validate") ?? requests.at(-1);
      for (const request of requests) {
        const { status: httpStatus, requestId, durationMs, items, purpose = "events" } = request;
        const own = requestId === undefined && request !== decisive ? [] : (answers.get(requestId) ?? []);
        const ids: string[] = [];
        const grouped = new Map<string, JournalAnswer & { eventIds: string[] }>();
        for (const [at, { of, index }] of own) {
          const outcome = outcomes[at];
          const event = of.events[index];
          if (!outcome || !event) continue;
          const status = outcome.status === "delivered" && event.validateOnly ? "validated" : outcome.status;
          const { code, message } = outcome;
          const key = `${status} ${code ?? ""} ${message ?? ""}`;
          let answer = grouped.get(key);
          if (!answer) {
            answer = { status, items: 0, eventIds: [], code, message };
            grouped.set(key, answer);
          }
          answer.items++;
          if (!sampled(hostEventId(event), share)) continue;
          answer.eventIds.push(event.eventId);
          ids.push(event.eventId);
          if (event.orderId !== undefined) ids.push(event.orderId);
        }
        add(ids, { httpStatus, requestId, durationMs, items, purpose, answers: [...grouped.values()] });
      }
    },
    members({ op, items, eventIds }, { status, startedMs, httpStatus, requestId, code, message }) {
      const ids = eventIds().filter((id) => sampled(id, share));
      const durationMs = clock.monotonic() - startedMs;
      const answers = [{ status, items, eventIds: ids, code, message }];
      add(ids, { httpStatus, requestId, durationMs, items, purpose: `members/${op}`, answers });
    },
    segmentMade({ key, name }, segmentId, eventIds) {
      const ids = [`segment:${key}`, ...eventIds().filter((id) => sampled(id, share))];
      const message = `The segment "${name}" was made at Snapchat with the id ${segmentId}.`;
      const answers = [{ status: "delivered" as const, items: 1, eventIds: ids, message }];
      add(ids, { items: 1, purpose: MADE, answers });
    },
    segmentNotMade({ status, startedMs, requestId, code, message }, eventIds) {
      const ids = eventIds().filter((id) => sampled(id, share));
      const answers = [{ status, items: 1, eventIds: ids, code, message }];
      add(ids, { requestId, durationMs: clock.monotonic() - startedMs, items: 1, purpose: MADE, answers });
    },
    unchanged(eventIds) {
      const ids = eventIds().filter((id) => sampled(id, share));
      if (ids.length === 0) return;
      const id = `${job.claim.id}/unchanged`;
      journal.add(destinationId, ids, {
        type: "end",
        id,
        atMs: clock.now(),
        group,
        outcome: "unchanged",
        eventIds: ids,
      });
    },
    write() {
      for (const { ids, line } of collected.splice(0)) journal.add(destinationId, ids, line);
    },
  };
}

/** The id of the host's event behind a Snap event: a second rule's event has its own name behind the id. */
function hostEventId({ eventId, eventName }: StoredEvent): string {
  return eventId.endsWith(`.${eventName}`) ? eventId.slice(0, -eventName.length - 1) : eventId;
}
