import type { Clock } from "../clock.ts";
import type { Records } from "../storage/ports.ts";
import type { Restored } from "./context.ts";
import { isVersionConflict } from "./storage-call.ts";

/** What holds for all workers of a storage, whatever process they run in. */
interface ControlState {
  /** Reasons for which nothing at all is sent. */
  paused: string[];
  /** The database came back from a backup. Both on the engine's clock. */
  restored?: { takenAtMs: number; restoredAtMs: number } | undefined;
}

export interface Control {
  /** For how long nothing may be claimed; 0: go on. Reads what is stored at most every two seconds. */
  pausedMs(): Promise<number>;
  /** Reasons of the pause of everything. */
  paused(): Promise<readonly string[]>;
  pauseAll(reason: string): Promise<void>;
  resumeAll(reason: string): Promise<void>;
  markRestored(backupTakenAtMs: number): Promise<void>;
  restored(): Restored | undefined;
}

const KEY = "delivery/control";
const FORMAT = 1;
const FRESH_MS = 2_000;
const EMPTY: ControlState = { paused: [] };

export function createControl(records: Records, { clock }: { clock: Clock }): Control {
  let state = EMPTY;
  let readAt = Number.NEGATIVE_INFINITY;
  /** The engine's clock minus our monotonic one. */
  let offsetMs = 0;

  async function read(): Promise<{ state: ControlState; version: number }> {
    const record = await records.get(KEY);
    if (!record || record.value[0] !== FORMAT) return { state: EMPTY, version: record?.version ?? 0 };
    const stored = JSON.parse(Buffer.from(record.value.subarray(1)).toString("utf8")) as ControlState;
    return { state: stored, version: record.version };
  }

  async function refresh(): Promise<void> {
    if (clock.monotonic() - readAt < FRESH_MS) return;
    state = (await read()).state;
    if (state.restored) offsetMs = (await records.now()) - clock.monotonic();
    readAt = clock.monotonic();
  }

  async function change(apply: (state: ControlState) => ControlState): Promise<void> {
    for (;;) {
      const { state: before, version } = await read();
      const value = Buffer.concat([Buffer.of(FORMAT), Buffer.from(JSON.stringify(apply(before)), "utf8")]);
      try {
        await records.put(KEY, value, { ifVersion: version });
        readAt = Number.NEGATIVE_INFINITY;
        return;
      } catch (error) {
        if (!isVersionConflict(error)) throw error;
      }
    }
  }

  return {
    async pausedMs() {
      await refresh();
      return state.paused.length > 0 ? FRESH_MS : 0;
    },
    async paused() {
      await refresh();
      return state.paused;
    },
    pauseAll: (reason) => change((before) => ({ ...before, paused: [...new Set([...before.paused, reason])] })),
    resumeAll: (reason) =>
      change((before) => ({ ...before, paused: before.paused.filter((other) => other !== reason) })),
    async markRestored(backupTakenAtMs) {
      const restoredAtMs = await records.now();
      await change((before) => ({ ...before, restored: { takenAtMs: backupTakenAtMs, restoredAtMs } }));
    },
    restored() {
      if (!state.restored) return undefined;
      const nowMs = clock.monotonic() + offsetMs;
      return {
        backupAgeMs: Math.max(0, nowMs - state.restored.takenAtMs),
        restoredAgeMs: Math.max(0, nowMs - state.restored.restoredAtMs),
      };
    },
  };
}
