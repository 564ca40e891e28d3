import { outcomesById } from "../checks.ts";
import type { Claim, ClaimedEntry, Outbox, Outcome, Records } from "../ports.ts";
import { noteLeft } from "./append.ts";
import type { DeadStore, NewLetter } from "./dead-store.ts";
import { backToReady, claimable, countDead, type EntryState, fill, lose, owned } from "./group.ts";
import { each, type GroupStore } from "./group-store.ts";
import { groupId } from "./keys.ts";
import type { createTurns, Turn } from "./turns.ts";

type ClaimOptions = Parameters<Outbox["claim"]>[0];

const TRIES = 50;

export function createClaims(
  records: Records,
  groups: GroupStore,
  dead: DeadStore,
  turns: ReturnType<typeof createTurns>,
): Pick<Outbox, "claim" | "extend" | "settle" | "release"> {
  async function claim(o: ClaimOptions): Promise<Claim | undefined> {
    const skip = new Set(o.skipCredentials);
    for (let tries = 0; tries < TRIES; tries++) {
      const turn = (await nextTurn(skip)) ?? (await nextTurn(skip, 0));
      if (!turn) return undefined;
      const taken = await take(turn, o, skip).catch((error: unknown) => {
        turn.giveBack();
        throw error;
      });
      if (!taken) {
        // Another process was here first; what it left is known now.
        turn.giveBack();
        continue;
      }
      const found = await withPayloads(taken);
      if (found.entries.length > 0) return found;
    }
    return undefined;
  }

  async function nextTurn(skip: ReadonlySet<string>, maxAgeMs?: number): Promise<Turn | undefined> {
    const known = await groups.all(maxAgeMs);
    return turns.next(
      Array.from(known.values(), ({ state }) => state),
      await records.now(),
      skip,
    );
  }

  type Taken = Omit<Claim, "entries"> & { entries: (Omit<ClaimedEntry, "payload"> & { key: string })[] };

  function take({ group, oldest }: Turn, o: ClaimOptions, skip: ReadonlySet<string>): Promise<Taken | undefined> {
    return groups.change(group, (state, at) => {
      if (!state || skip.has(state.group.credentialId)) return { answer: undefined };
      const strict = state.group.exclusive;
      const entries = fill(claimable(state, at), { ...o, strict, oldest });
      if (entries.length === 0) return { answer: undefined };
      const fence = ++state.fence;
      // A claim whose entry is taken by this one, in an exclusive group every other claim, can no longer settle.
      lose(state, new Set(strict ? state.claims.map((other) => other.fence) : entries.map((entry) => entry.fence)));
      state.claims.push({ fence, until: at + o.leaseMs, state: "open" });
      for (const entry of entries) {
        entry.place = "claimed";
        entry.fence = fence;
        entry.claims++;
      }
      const answer: Taken = {
        id: `${groupId(state.group.destinationId, state.group.name)}.${fence}`,
        fence,
        group: { ...state.group },
        entries: entries.map(({ id, key, items, position, claims, createdAt, progress }) => ({
          id,
          key,
          items,
          position,
          claims,
          ageMs: at - createdAt,
          ...(progress === undefined ? {} : { progress: new Uint8Array(Buffer.from(progress, "base64")) }),
        })),
      };
      return { answer, write: true };
    });
  }

  async function withPayloads(taken: Taken): Promise<Claim> {
    const found = await each(taken.entries.length, (index) => records.get(taken.entries[index]?.key ?? ""));
    const entries: ClaimedEntry[] = [];
    const lost: Outcome[] = [];
    for (const [index, { key: _, ...entry }] of taken.entries.entries()) {
      const record = found[index];
      if (record) entries.push({ ...entry, payload: record.value });
      else lost.push({ id: entry.id, dead: [{ ...NOTHING, reason: "payload_lost" }] });
    }
    const whole: Claim = { ...taken, entries };
    // The engine lost it, or somebody deleted it: said as a dead letter, instead of failing every claim from now on.
    if (lost.length > 0) await end(taken, new Map(lost.map((outcome) => [outcome.id, outcome])), { open: true });
    return whole;
  }

  async function settle(
    claim: Claim,
    outcomes: Outcome[],
    { holdGroupMs }: { holdGroupMs?: number } = {},
  ): Promise<"settled" | "lost"> {
    return end(claim, outcomesById(claim, outcomes), { holdGroupMs });
  }

  /** `open`: only what is named is settled, and the claim goes on with the rest. */
  async function end(
    { group, fence }: Pick<Claim, "group" | "fence">,
    byId: ReadonlyMap<string, Outcome>,
    o: { holdGroupMs?: number | undefined; open?: boolean },
  ): Promise<"settled" | "lost"> {
    const gid = groupId(group.destinationId, group.name);
    let written: string[] = [];
    const answer = await groups.change<"settled" | "lost">(group, async (state, at) => {
      // Written for a state that another process changed meanwhile.
      const spare = written;
      written = [];
      await dead.takeBack(spare, state?.claims ?? []);
      const settled = state?.claims.some((claim) => claim.fence === fence && claim.state === "settled");
      if (settled && !o.open) return { answer: "settled" };
      const own = state && owned(state, fence);
      if (!state || !own) return { answer: "lost" };

      const gone: EntryState[] = [];
      const letters: NewLetter[] = [];
      for (const entry of state.entries) {
        if (entry.fence !== fence) continue;
        const outcome = byId.get(entry.id);
        if (!outcome) {
          if (!o.open) backToReady(entry, at);
          continue;
        }
        const { id: entryId, claims, position } = entry;
        for (const one of outcome.dead ?? []) letters.push({ ...one, entryId, claims, position });
        if (!outcome.rest) {
          gone.push(entry);
          continue;
        }
        entry.claims = 0;
        entry.place = "waiting";
        entry.dueAt = at + outcome.rest.retryInMs;
        entry.progress = Buffer.from(outcome.rest.progress).toString("base64");
        delete entry.fence;
      }
      await noteLeft(records, gid, gone);
      written = letters.length > 0 ? await dead.write(state.group, letters, at) : [];
      for (const { reason } of letters) countDead(state, reason, 1);
      state.entries = state.entries.filter((entry) => !gone.includes(entry));
      if (!o.open) own.state = "settled";
      if (written.length > 0) own.dead = [...(own.dead ?? []), ...written];
      if (o.holdGroupMs !== undefined) state.holdUntil = Math.max(state.holdUntil, at + o.holdGroupMs);
      const afterwards = async () => {
        await dead.confirm(written);
        await each(gone.length, (index) => records.delete(gone[index]?.key ?? ""));
      };
      return { answer: "settled", write: true, afterwards };
    });
    return answer;
  }

  async function release(claim: Claim, { holdGroupMs }: { holdGroupMs?: number } = {}): Promise<void> {
    const released = await groups.change(claim.group, (state, at) => {
      if (!state || !owned(state, claim.fence)) return { answer: false };
      for (const entry of state.entries) {
        if (entry.fence !== claim.fence) continue;
        entry.claims--;
        backToReady(entry, at);
      }
      lose(state, new Set([claim.fence]));
      if (holdGroupMs !== undefined) state.holdUntil = Math.max(state.holdUntil, at + holdGroupMs);
      return { answer: true, write: true };
    });
    if (released) turns.giveBack(claim.group.tenantId);
  }

  function extend(claim: Claim, leaseMs: number): Promise<boolean> {
    return groups.change(claim.group, (state, at) => {
      const own = state && owned(state, claim.fence);
      if (!state || !own) return { answer: false };
      own.until = at + leaseMs;
      if (own.state === "expired") {
        own.state = "open";
        for (const entry of state.entries) if (entry.fence === claim.fence) entry.place = "claimed";
      }
      return { answer: true, write: true };
    });
  }

  return { claim, extend, settle, release };
}

const NOTHING = { itemIndex: -1, payload: new Uint8Array(), detail: new Uint8Array() };
