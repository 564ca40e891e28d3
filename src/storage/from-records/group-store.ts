import { versionConflict } from "../errors.ts";
import type { Group, Record_, Records } from "../ports.ts";
import { decode, encode } from "./codec.ts";
import { emptyGroup, expireLeases, type GroupState } from "./group.ts";
import { destinationKey, groupId, keys, newToken } from "./keys.ts";
import { createQueue, isConflict, retryConflicts } from "./retry.ts";

/** A state too large for one value: its text lies in parts that are written once and never changed. */
interface Chunked {
  chunks: { token: string; count: number };
}

interface Known {
  state: GroupState;
  version: number;
}

/** What `apply` may do besides changing the state. */
export interface Change<T> {
  answer: T;
  /** Absent: nothing is written. */
  write?: boolean;
  /** After the state is stored. What fails here is left to be cleaned up. */
  afterwards?: () => Promise<unknown>;
}

const PAGE = 200;
const SCAN_MS = 1_000;

/**
 * Group states: each read, changed and written by compare-and-set. `known` is what this process saw last, at most a
 * second old when it is asked for with `fresh`; only looked at to choose a group, never written from.
 */
export function createGroupStore(
  records: Records,
  o: {
    maxValueBytes: number;
    onChange: () => void;
    /** Dead letters that a settled claim named: they count by themselves from now on. */
    confirm: (blocks: readonly string[]) => Promise<void>;
  },
) {
  const known = new Map<string, Known>();
  const queue = createQueue();
  let scannedAt = Number.NEGATIVE_INFINITY;
  let scanning: Promise<void> | undefined;

  async function load(record: Record_): Promise<{ state: GroupState; chunks: Chunked["chunks"] | undefined }> {
    const head = decode<GroupState | Chunked>(record.value);
    if (!("chunks" in head)) return { state: head, chunks: undefined };
    const { token, count } = head.chunks;
    const gid = record.key.slice(record.key.lastIndexOf("/") + 1);
    const parts = await Promise.all(
      Array.from({ length: count }, (_, index) => records.get(keys.chunk(gid, token, index))),
    );
    // Another process has written the state anew, or forgotten the group: to be read again.
    if (parts.includes(undefined)) throw versionConflict(record.key, record.version, 0);
    return { state: decode(Buffer.concat(parts.map((part) => part?.value ?? new Uint8Array()))), chunks: head.chunks };
  }

  function keep(key: string, state: GroupState, version: number): void {
    if ((known.get(key)?.version ?? 0) < version) known.set(key, { state, version });
  }

  async function scan(): Promise<void> {
    const began = performance.now();
    const before = new Map([...known].map(([key, { version }]) => [key, version]));
    let after: string | undefined;
    let page: Record_[];
    do {
      page = await records.list(keys.groups, { limit: PAGE, ...(after === undefined ? {} : { after }) });
      for (const record of page) {
        before.delete(record.key);
        if ((known.get(record.key)?.version ?? 0) >= record.version) continue;
        const found = await load(record).catch((error: unknown) => {
          if (!isConflict(error)) throw error;
        });
        if (found) keep(record.key, found.state, record.version);
      }
      after = page.at(-1)?.key;
    } while (page.length === PAGE);
    for (const [key, version] of before) if (known.get(key)?.version === version) known.delete(key);
    scannedAt = began;
  }

  /** Every group there is, as of `maxAgeMs` ago or later. */
  async function all(maxAgeMs: number = SCAN_MS): Promise<Map<string, Known>> {
    if (performance.now() - scannedAt > maxAgeMs) {
      // One that began before this call may have missed what was stored meanwhile.
      if (maxAgeMs === 0) await scanning?.catch(() => {});
      scanning ??= scan().finally(() => {
        scanning = undefined;
      });
      await scanning;
    }
    return known;
  }

  /**
   * Reads the group's state, hands a copy to `apply` with the leases that ran out taken back, and stores what it made of
   * it, again and again until nobody else was faster.
   */
  function change<T>(
    group: Pick<Group, "destinationId" | "name">,
    apply: (state: GroupState | undefined, at: number) => Promise<Change<T>> | Change<T>,
  ): Promise<T> {
    const key = keys.group(group.destinationId, group.name);
    return queue(key, () =>
      retryConflicts(async () => {
        const record = await records.get(key);
        const at = await records.now();
        const found = record && (await load(record));
        if (found) await tidy(found.state, at);
        else known.delete(key);
        const { answer, write, afterwards } = await apply(found?.state, at);
        if (found && record && write) await store(key, found.state, record.version, found.chunks);
        if (found && record && !write) keep(key, found.state, record.version);
        if (afterwards) await afterwards().catch(() => {});
        if (write) o.onChange();
        return answer;
      }),
    );
  }

  async function tidy(state: GroupState, at: number): Promise<void> {
    expireLeases(state, at);
    const over = state.claims.filter((claim) => claim.state === "settled" && claim.until <= at);
    if (over.length === 0) return;
    await o.confirm(over.flatMap(({ dead }) => dead ?? []));
    state.claims = state.claims.filter((claim) => !over.includes(claim));
  }

  async function store(
    key: string,
    state: GroupState,
    ifVersion: number,
    old: Chunked["chunks"] | undefined,
  ): Promise<void> {
    const gid = key.slice(key.lastIndexOf("/") + 1);
    let value = encode(state);
    let chunks: Chunked["chunks"] | undefined;
    if (value.byteLength > o.maxValueBytes) {
      chunks = { token: newToken(), count: Math.ceil(value.byteLength / o.maxValueBytes) };
      const whole = value;
      await each(chunks.count, (index) => {
        const part = whole.subarray(index * o.maxValueBytes, (index + 1) * o.maxValueBytes);
        return records.put(keys.chunk(gid, chunks?.token ?? "", index), part);
      });
      value = encode({ chunks } satisfies Chunked);
    }
    try {
      keep(key, state, await records.put(key, value, { ifVersion }));
    } catch (error) {
      // Only where it is certain that nothing names them: a write whose answer was lost may have been carried out.
      if (chunks && isConflict(error) && !(await names(key, chunks.token))) await dropChunks(gid, chunks);
      throw error;
    }
    if (old) await dropChunks(gid, old);
  }

  async function names(key: string, token: string): Promise<boolean> {
    const record = await records.get(key);
    const head = record && decode<GroupState | Chunked>(record.value);
    return head !== undefined && "chunks" in head && head.chunks.token === token;
  }

  async function dropChunks(gid: string, { token, count }: Chunked["chunks"]): Promise<void> {
    await each(count, (index) => records.delete(keys.chunk(gid, token, index)).catch(() => false));
  }

  /** Makes the group known, or changes all but its identity and its queue. */
  async function open(group: Group, pausedBy: (group: Group) => Promise<string[]>): Promise<void> {
    const key = keys.group(group.destinationId, group.name);
    const gid = groupId(group.destinationId, group.name);
    await queue(key, () =>
      retryConflicts(async () => {
        if (await records.get(key)) return;
        const fence = await records.get(keys.fence(gid));
        const from = fence ? decode<{ fence: number; position: number }>(fence.value) : { fence: 0, position: 0 };
        await records.put(key, encode(emptyGroup(group, from)), { ifVersion: 0 });
      }),
    );
    // The pauses are read when the group is there: one that is set meanwhile finds it.
    await change(group, async (state) => {
      if (!state) return { answer: undefined };
      state.group = { ...group };
      state.paused = await pausedBy(group);
      return { answer: undefined, write: true };
    });
  }

  /** Forgets an empty group, all but its counters. `false`: it is not empty. */
  async function forget(group: Pick<Group, "destinationId" | "name">): Promise<boolean> {
    const key = keys.group(group.destinationId, group.name);
    return queue(key, () =>
      retryConflicts(async () => {
        const record = await records.get(key);
        if (!record) return true;
        const { state, chunks } = await load(record);
        if (state.entries.length > 0) return false;
        const gid = groupId(group.destinationId, group.name);
        const { fence, position } = state;
        await records.put(keys.fence(gid), encode({ fence, position }));
        await records.delete(key, { ifVersion: record.version });
        if (chunks) await dropChunks(gid, chunks);
        known.delete(key);
        o.onChange();
        return true;
      }),
    );
  }

  async function ofDestination(destinationId: string): Promise<GroupState[]> {
    const prefix = `${keys.groups}${destinationKey(destinationId)}/`;
    const found = [...(await all(0))].filter(([key]) => key.startsWith(prefix));
    return found.map(([, { state }]) => state);
  }

  return { all, change, open, forget, ofDestination };
}

export type GroupStore = ReturnType<typeof createGroupStore>;

/** Some at a time: engines throttle whoever asks for a thousand things at once. */
export async function each<T>(count: number, task: (index: number) => Promise<T>): Promise<T[]> {
  const answers: T[] = new Array(count);
  let next = 0;
  const work = async () => {
    while (next < count) {
      const index = next++;
      answers[index] = await task(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(16, count) }, work));
  return answers;
}
