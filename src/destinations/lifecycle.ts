import type { Context } from "./context.ts";
import { eventsCredential } from "./credential.ts";
import { currentAssets, type QueueOnDisable, type StoredDestination, type Versioned } from "./destination.ts";
import { drop } from "./effects.ts";
import { checkId, invalid, notFound } from "./failure.ts";
import { type MutationOptions, mutate } from "./mutation.ts";
import { everyDestination } from "./store.ts";

/** What a destination lacks before it can be switched on: a code, and a marketer's words. Empty: nothing. */
export async function missingToEnable(
  context: Pick<Context, "connections">,
  stored: StoredDestination,
): Promise<{ code: string; words: string }[]> {
  const connection = stored.connectionId
    ? await context.connections.info(stored.tenantId, stored.connectionId)
    : undefined;
  return [
    ...(currentAssets(stored).length === 0 ? [{ code: "pixel", words: "a Snap Pixel to send to" }] : []),
    ...(eventsCredential(stored, connection) === undefined
      ? [{ code: "credential", words: "a sign-in at Snapchat or a Conversions API token" }]
      : []),
  ];
}

/** @throws {SnapchatError} `destination_incomplete`, saying what is missing */
export async function enable(
  context: Context,
  tenantId: string,
  id: string,
  options: MutationOptions = {},
): Promise<Versioned> {
  return mutate(context, { tenantId, id, action: "destination.enabled" }, options, async (before) => {
    if (before.enabled) return undefined;
    const missing = await missingToEnable(context, before);
    if (missing.length > 0) {
      throw invalid(
        "destination_incomplete",
        `This destination cannot be switched on yet. It lacks ${missing.map(({ words }) => words).join(" and ")}.`,
        "Add what is missing, save, and switch it on again.",
        { missing: missing.map(({ code }) => code).join(",") },
      );
    }
    // What other processes queued in the two seconds after it was switched off was to be dropped too.
    if (before.queueOnDisable === "drop") await drop(context, { destinationId: id });
    return { next: { ...before, enabled: true, queueOnDisable: "hold" }, detail: {} };
  });
}

export interface DisableOptions extends MutationOptions {
  /** `hold` (default) keeps what is queued until it is enabled again, `finish` still delivers it, `drop` makes it dead letters. */
  queue?: QueueOnDisable;
}

export async function disable(
  context: Context,
  tenantId: string,
  id: string,
  options: DisableOptions = {},
): Promise<Versioned> {
  const queue = options.queue ?? "hold";
  if (queue !== "hold" && queue !== "finish" && queue !== "drop") {
    throw invalid("queue_choice_invalid", "queue is hold, finish or drop.", "Say what becomes of what is queued.");
  }
  return mutate(context, { tenantId, id, action: "destination.disabled" }, options, (before) => {
    if (!before.enabled && before.queueOnDisable === queue) return undefined;
    return { next: { ...before, enabled: false, queueOnDisable: queue }, detail: { queue } };
  });
}

/** Gives a destination the login of a finished sign-in, whether its first, the same person's again, or another's. */
export async function connect(
  context: Context,
  tenantId: string,
  id: string,
  connectionId: string,
  options: MutationOptions = {},
): Promise<Versioned> {
  checkId(connectionId, "connection");
  let left: string | undefined;
  const done = await mutate(context, { tenantId, id, action: "destination.connected" }, options, async (before) => {
    if (!(await context.connections.info(tenantId, connectionId))) throw notFound("connection");
    left = before.connectionId !== connectionId ? before.connectionId : undefined;
    return {
      next: { ...before, connectionId },
      detail: { connectionId, ...(left ? { replaced: left } : {}) },
    };
  });
  if (left) await forgetUnused(context, tenantId, left, options);
  return done;
}

/** Takes the login away: its tokens are removed unless another destination uses it; what needs it is held. */
export async function disconnect(
  context: Context,
  tenantId: string,
  id: string,
  options: MutationOptions = {},
): Promise<Versioned> {
  let left: string | undefined;
  const done = await mutate(context, { tenantId, id, action: "destination.disconnected" }, options, (before) => {
    left = before.connectionId;
    if (left === undefined) return undefined;
    const { connectionId, ...next } = before;
    return { next, detail: { connectionId: connectionId ?? "" } };
  });
  if (left) await forgetUnused(context, tenantId, left, options);
  return done;
}

/** Tokens that no destination uses any more are not kept. `false`: another one uses them. */
export async function forgetUnused(
  context: Context,
  tenantId: string,
  connectionId: string,
  options: MutationOptions,
): Promise<boolean> {
  for await (const { stored } of everyDestination(context.records, tenantId)) {
    if (stored.connectionId === connectionId && !stored.deleting) return false;
  }
  await context.connections.disconnect(
    tenantId,
    connectionId,
    options.actor === undefined ? {} : { actor: options.actor },
  );
  return true;
}
