import type { Clock } from "../../clock.ts";
import type { ActiveDestination } from "../../destinations/index.ts";
import { isSnapchatError } from "../../errors.ts";
import type { HostSegments } from "../../plugins/index.ts";
import type { Records } from "../../storage/ports.ts";

export interface BackfillDependencies {
  records: Records;
  clock: Clock;
  /** The host's segments; absent without the hook: then only events fill segments. */
  hostSegments: HostSegments | undefined;
  /** The destination, where it is enabled and could follow now. */
  destinationOf(tenantId: string, destinationId: string): Promise<ActiveDestination | undefined>;
  /** Makes one of the host's segments at Snapchat and mirrors its members. */
  bring(
    destination: ActiveDestination,
    segment: { key: string; name?: string | undefined; size?: number | undefined },
    runId: string,
    signal: AbortSignal,
  ): Promise<void>;
  /** Without the host's list: the segments of another ad account, made here with the members known of them. */
  copy(destination: ActiveDestination, fromAdAccountId: string, id: string): Promise<void>;
  onFailure(failure: { tenantId: string; destinationId: string; key: string; code: string; message: string }): void;
}

/** Stored while a destination's segments have to be brought in step. */
interface Pending {
  tenantId: string;
  destinationId: string;
  /** Makes the runs' ids. */
  id: string;
  /** The ad account that the destination used before. */
  from?: string | undefined;
}

const FORMAT = 1;
const PENDING = "segment-backfill/";
const FOLLOWED = "segment-follow/";
const LOCK_MS = 120_000;
const PAGE = 200;

export type Backfills = ReturnType<typeof createBackfills>;

/**
 * Existing members when `added_to_segment` is switched on: wanted is stored with the switch, done by any worker, segment
 * by segment, each a run that goes on where a crash cut it off.
 */
export function createBackfills(dependencies: BackfillDependencies) {
  const { records, clock } = dependencies;
  const place = (tenantId: string, destinationId: string) =>
    `${encodeURIComponent(tenantId)}/${encodeURIComponent(destinationId)}`;

  async function request(tenantId: string, destinationId: string, from?: string): Promise<void> {
    const id = String(await records.now());
    const pending: Pending = { tenantId, destinationId, id, ...(from === undefined ? {} : { from }) };
    await records.put(`${PENDING}${place(tenantId, destinationId)}`, encode(pending));
  }

  /** Told of every state of a destination; acts where segments begin to be followed. Safe to repeat. */
  async function follow(tenantId: string, destinationId: string, { on }: { on: boolean }): Promise<void> {
    const key = `${FOLLOWED}${place(tenantId, destinationId)}`;
    const known = await records.get(key);
    if (on === (known !== undefined)) return;
    if (!on) {
      await records.delete(key);
      await records.delete(`${PENDING}${place(tenantId, destinationId)}`);
      return;
    }
    // First what is to be done, then the note that it was asked for: a crash in between asks again.
    await request(tenantId, destinationId);
    await records.put(key, Buffer.of(FORMAT));
  }

  async function forget(tenantId: string, destinationId: string): Promise<void> {
    await records.delete(`${PENDING}${place(tenantId, destinationId)}`);
    await records.delete(`${FOLLOWED}${place(tenantId, destinationId)}`);
  }

  /** Does what is pending. One process works on a destination at a time. */
  async function run(signal: AbortSignal): Promise<void> {
    let after: string | undefined;
    do {
      const page = await records.list(PENDING, { ...(after === undefined ? {} : { after }), limit: PAGE });
      for (const { key, value, version } of page) {
        if (signal.aborted) return;
        const pending = decode(value);
        if (pending) await withLock(key, signal, (own) => one(pending, { key, version }, own));
      }
      after = page.length === PAGE ? page.at(-1)?.key : undefined;
    } while (after !== undefined);
  }

  async function one(
    { tenantId, destinationId, id, from }: Pending,
    { key, version }: { key: string; version: number },
    signal: AbortSignal,
  ): Promise<void> {
    const destination = await dependencies.destinationOf(tenantId, destinationId);
    if (!destination) return;
    let again = false;
    if (!dependencies.hostSegments && from !== undefined) await dependencies.copy(destination, from, id);
    for await (const segment of dependencies.hostSegments?.list({ tenantId, destinationId, signal }) ?? []) {
      if (signal.aborted) return;
      try {
        await dependencies.bring(destination, segment, `backfill ${id}`, signal);
      } catch (error) {
        if (signal.aborted) return;
        // A person has to look at what is wrong with the data; everything else is tried again by itself.
        again ||= !isSnapchatError(error) || (error.kind !== "fix_data" && error.code !== "segment_stopped");
        const { code, message } = isSnapchatError(error)
          ? error
          : { code: "unexpected_error", message: "A value was thrown." };
        dependencies.onFailure({ tenantId, destinationId, key: segment.key, code, message });
      }
    }
    // Asked for again meanwhile: then it stays.
    if (!again) await records.delete(key, { ifVersion: version }).catch(ignoreConflict);
  }

  /** Held while the task runs; lost with a process that dies. */
  async function withLock(
    key: string,
    signal: AbortSignal,
    task: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const lock = `~lock/${key}`;
    let version: number;
    try {
      version = await records.put(lock, Buffer.of(FORMAT), { ifVersion: 0, ttlMs: LOCK_MS });
    } catch (error) {
      ignoreConflict(error);
      return;
    }
    const ended = new AbortController();
    const lost = new AbortController();
    const renewing = (async () => {
      for (;;) {
        await clock.sleep(LOCK_MS / 3, ended.signal);
        if (ended.signal.aborted) return;
        try {
          version = await records.put(lock, Buffer.of(FORMAT), { ifVersion: version, ttlMs: LOCK_MS });
        } catch {
          lost.abort();
          return;
        }
      }
    })();
    try {
      await task(AbortSignal.any([signal, lost.signal]));
    } finally {
      ended.abort();
      await renewing;
      await records.delete(lock, { ifVersion: version }).catch(() => false);
    }
  }

  return { request, follow, forget, run };
}

function encode(pending: Pending): Uint8Array {
  return Buffer.concat([Buffer.of(FORMAT), Buffer.from(JSON.stringify(pending), "utf8")]);
}

function decode(value: Uint8Array): Pending | undefined {
  if (value[0] !== FORMAT) return undefined;
  return JSON.parse(Buffer.from(value.subarray(1)).toString("utf8")) as Pending;
}

function ignoreConflict(error: unknown): void {
  if ((error as { code?: unknown }).code !== "version_conflict") throw error;
}
