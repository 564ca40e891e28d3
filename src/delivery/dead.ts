import type { Outcome } from "../storage/ports.ts";
import type { Context } from "./context.ts";
import { payloadAad, sealPayload } from "./payload.ts";

/** Beside a dead letter: what a person needs to understand it. Sealed like its payload. */
export interface DeadDetail {
  /** Snapchat's words, redacted. */
  message?: string | undefined;
  code?: string | undefined;
  requestId?: string | undefined;
  attempts: number;
  /** Where Snapchat may have taken it: how long ago that was first possible, when it died. */
  unknownForMs?: number | undefined;
  eventId?: string | undefined;
  eventName?: string | undefined;
  eventTime?: number | undefined;
  /** Of a whole entry: the items that are not in question any more, as base64 of their bits. */
  done?: string | undefined;
}

export interface DeadItem {
  index: number;
  reason: string;
  /** The item alone, encoded. */
  content: Uint8Array;
  detail: DeadDetail;
}

const FORMAT = 1;

export function encodeDetail(detail: DeadDetail): Uint8Array {
  return Buffer.concat([Buffer.of(FORMAT), Buffer.from(JSON.stringify(detail), "utf8")]);
}

/** `undefined`: nothing of ours, or a newer version's. */
export function decodeDetail(content: Uint8Array): DeadDetail | undefined {
  if (content[0] !== FORMAT) return undefined;
  return JSON.parse(Buffer.from(content.subarray(1)).toString("utf8")) as DeadDetail;
}

/** Dead items as the outbox takes them: payload and detail sealed for the same group. */
export async function sealDead(
  context: Pick<Context, "sealer">,
  group: { tenantId: string; destinationId: string; name: string },
  items: readonly DeadItem[],
): Promise<NonNullable<Outcome["dead"]>> {
  const aad = payloadAad(group.tenantId, group.destinationId, group.name);
  return Promise.all(
    items.map(async ({ index, reason, content, detail }) => ({
      itemIndex: index,
      reason,
      payload: await sealPayload(content, aad, context.sealer),
      detail: await sealPayload(encodeDetail(detail), aad, context.sealer),
    })),
  );
}
