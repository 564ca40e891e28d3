import type { Depth, Outbox, Records, Target } from "../ports.ts";
import { noteLeft } from "./append.ts";
import type { DeadStore } from "./dead-store.ts";
import { countDead, type GroupState, isMeant, lose } from "./group.ts";
import { each, type GroupStore } from "./group-store.ts";
import { groupId, keys } from "./keys.ts";
import type { Pauses } from "./pauses.ts";

/** Entries of one group that become dead letters in one go. */
const BATCH = 100;

/** Unclaimed entries become dead letters whole. True when none is left. */
export function createBury(records: Records, groups: GroupStore, dead: DeadStore): Outbox["bury"] {
  return async (target: Target, reason: string, o: { olderThanMs?: number; limit: number }) => {
    const meant = [...(await groups.all(0)).values()].filter(({ state }) => isMeant(target, state.group));
    let left = o.limit;
    for (const { state } of meant) {
      for (let more = true; more; ) {
        const { buried, rest } = await buryOf(state.group, reason, o.olderThanMs, Math.min(left, BATCH));
        left -= buried;
        if (rest && left === 0) return false;
        more = rest;
      }
    }
    return true;
  };

  async function buryOf(group: GroupState["group"], reason: string, olderThanMs: number | undefined, limit: number) {
    let written: string[] = [];
    return groups.change(group, async (state, at) => {
      const spare = written;
      written = [];
      await dead.takeBack(spare, state?.claims ?? []);
      const found = (state?.entries ?? []).filter(
        ({ place, createdAt }) => place !== "claimed" && (olderThanMs === undefined || at - createdAt > olderThanMs),
      );
      const buried = found.slice(0, limit);
      const answer = { buried: buried.length, rest: found.length > buried.length };
      if (!state || buried.length === 0) return { answer };
      const payloads = await each(buried.length, (index) => records.get(buried[index]?.key ?? ""));
      const letters = buried.map(({ id, claims, position, progress = "" }, index) => ({
        entryId: id,
        itemIndex: -1,
        reason,
        claims,
        position,
        payload: payloads[index]?.value ?? new Uint8Array(),
        detail: new Uint8Array(Buffer.from(progress, "base64")),
      }));
      await noteLeft(records, groupId(group.destinationId, group.name), buried);
      written = await dead.write(state.group, letters, at);
      lose(state, new Set(buried.map(({ fence }) => fence)));
      state.entries = state.entries.filter((entry) => !buried.includes(entry));
      countDead(state, reason, buried.length);
      // Stands for the dead letters until they say themselves that they count.
      state.claims.push({ fence: ++state.fence, until: at, state: "settled", dead: written });
      const afterwards = async () => {
        await dead.confirm(written);
        await each(buried.length, (index) => records.delete(buried[index]?.key ?? ""));
      };
      return { answer, write: true, afterwards };
    });
  }
}

/** Forgets a destination, a part per call. True when nothing is left. */
export function createPurge(records: Records, groups: GroupStore, dead: DeadStore, pauses: Pauses): Outbox["purge"] {
  return async (destinationId, o) => {
    let left = o.limit;
    for (const { group } of await groups.ofDestination(destinationId)) {
      left -= await removeEntries(group, left);
      if (left <= 0) return false;
      const prefix = keys.leftOfGroup(groupId(group.destinationId, group.name));
      const ids = await records.list(prefix, { limit: left });
      await each(ids.length, (index) => records.delete(ids[index]?.key ?? ""));
      left -= ids.length;
      if (left <= 0) return false;
    }
    left = await dead.purge(destinationId, left);
    if (left <= 0) return false;
    for (const { group } of await groups.ofDestination(destinationId)) if (!(await groups.forget(group))) return false;
    await pauses.forget(destinationId);
    return true;
  };

  async function removeEntries(group: GroupState["group"], limit: number): Promise<number> {
    return groups.change(group, (state) => {
      const removed = (state?.entries ?? []).slice(0, limit);
      if (!state || removed.length === 0) return { answer: 0 };
      lose(state, new Set(removed.map(({ fence }) => fence)));
      state.entries = state.entries.slice(removed.length);
      const afterwards = () => each(removed.length, (index) => records.delete(removed[index]?.key ?? ""));
      return { answer: removed.length, write: true, afterwards };
    });
  }
}

export function createDepth(records: Records, groups: GroupStore): Outbox["depth"] {
  return async (destinationIds) => {
    const wanted = destinationIds && new Set(destinationIds);
    const found = new Map<string, Depth>();
    const at = await records.now();
    for (const { state } of (await groups.all()).values()) {
      const { destinationId } = state.group;
      if (wanted && !wanted.has(destinationId)) continue;
      const depth = found.get(destinationId) ?? {
        destinationId,
        entries: 0,
        items: 0,
        bytes: 0,
        oldestAgeMs: 0,
        paused: [],
        dead: {},
      };
      found.set(destinationId, depth);
      depth.entries += state.entries.length;
      for (const { items, bytes } of state.entries) {
        depth.items += items;
        depth.bytes += bytes;
      }
      const [oldest] = state.entries;
      if (oldest) depth.oldestAgeMs = Math.max(depth.oldestAgeMs, at - oldest.createdAt);
      const reasons = state.paused.map((reason) => reason.slice(reason.indexOf(":") + 1));
      depth.paused = [...new Set([...depth.paused, ...reasons])].sort();
      for (const [reason, count] of state.dead) depth.dead[reason] = (depth.dead[reason] ?? 0) + count;
    }
    return [...found.values()];
  };
}
