import { checkTenantId } from "../destinations/failure.ts";
import { SnapchatError } from "../errors.ts";
import type { Offer } from "./ingest.ts";
import type { TenantEvent, TrackOptions } from "./options.ts";

/**
 * One tenant's events as they are offered.
 *
 * @throws {SnapchatError} `events_not_a_list`, `destinations_not_a_list` (fix_data)
 */
export function offersOf(
  tenantId: string,
  events: readonly unknown[],
  { destinations, receivedAt }: Omit<TrackOptions, "tx">,
): Offer[] {
  checkList(events, "track");
  if (destinations !== undefined && !Array.isArray(destinations)) {
    throw wrong(
      "destinations_not_a_list",
      "`destinations` is a list of ids.",
      "Pass the ids of the destinations to offer to in a list, or leave it out for all that are enabled.",
    );
  }
  const receivedAtMs = msOf(receivedAt);
  return events.map((event) => ({ tenantId, event, receivedAtMs, destinations }));
}

/**
 * A mixed batch.
 *
 * @throws {SnapchatError} `events_not_a_list`, `event_without_tenant` (fix_data), `tenant_id_invalid`
 */
export function mixedOffersOf(events: readonly TenantEvent[], call: "track" | "sendNow"): Offer[] {
  checkList(events, call);
  return events.map((given, at) => {
    if (typeof given !== "object" || given === null || given.tenantId === undefined || !("event" in given)) {
      throw wrong(
        "event_without_tenant",
        `Entry ${at} of the batch does not say whose event it is.`,
        "Pass { tenantId, event } for each; tenant(id).track(events) takes one tenant's bare events.",
      );
    }
    const { tenantId, event, receivedAt } = given;
    if (typeof tenantId !== "string" || tenantId === "") checkTenantId(tenantId);
    return { tenantId, event, receivedAtMs: msOf(receivedAt), destinations: undefined };
  });
}

function checkList(events: unknown, call: string): void {
  if (Array.isArray(events)) return;
  throw wrong(
    "events_not_a_list",
    `${call} takes a list of events.`,
    `Pass one event as a list of one: ${call}([event]).`,
  );
}

function wrong(code: string, message: string, fix: string): SnapchatError {
  return new SnapchatError({ code, kind: "fix_data", message, fix });
}

const msOf = (time: Date | number | undefined) => (time === undefined ? undefined : Number(time));
