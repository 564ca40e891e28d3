import { checkEntries, checkGroup } from "../checks.ts";
import { missingTransactions } from "../errors.ts";
import type { Outbox, Target } from "../ports.ts";
import { appendEntries } from "./append.ts";
import { Claims } from "./claim.ts";
import { deadLetters } from "./dead.ts";
import { depths } from "./depth.ts";
import type { Engine } from "./engine.ts";
import { groupKey, targetArgs } from "./groups.ts";
import { Places } from "./places.ts";
import { settling } from "./settle.ts";
import { waiter } from "./wait.ts";

export function redisOutbox(engine: Engine, maxEntryBytes: number): Outbox {
  const places = new Places(engine);
  const claims = new Claims(engine);
  const { wait, wake, mark, foundNothing } = waiter(engine);
  const { settle, release, extend } = settling(engine);
  const of = (number: number) => engine.partition("outbox", number);

  /** Partitions in which a target may have groups. */
  const partitionsOf = async (target: Target): Promise<number[]> => {
    if ("credentialId" in target) return engine.numbers;
    const number = (await places.find([target.destinationId]))(target.destinationId);
    return number === undefined ? [] : [number];
  };
  const setPause = async (target: Target, command: "SADD" | "SREM", reason: string) => {
    // A destination may be paused before it is opened.
    if ("destinationId" in target) await places.choose([{ ...noGroup, destinationId: target.destinationId }]);
    const args = [...targetArgs(target), command, reason];
    await Promise.all((await partitionsOf(target)).map((number) => engine.run("pause", of(number), args)));
  };

  return {
    async open(groups) {
      groups.forEach(checkGroup);
      await places.choose(groups);
      const placeOf = await places.find(groups.map(({ destinationId }) => destinationId));
      const parts = new Map<number, string[]>();
      for (const group of groups) {
        const number = placeOf(group.destinationId) ?? 0;
        const { destinationId, tenantId, credentialId, exclusive } = group;
        const row = [groupKey(group), destinationId, tenantId, credentialId, exclusive ? "1" : "0"];
        parts.set(number, [...(parts.get(number) ?? []), ...row]);
      }
      await Promise.all([...parts].map(([number, args]) => engine.run("open", of(number), args)));
      wake();
    },

    async append(entries, o = {}) {
      if (o.tx !== undefined) throw missingTransactions("Redis");
      checkEntries(entries, maxEntryBytes);
      if (entries.length === 0) return [];
      const answers = await appendEntries(engine, places, entries);
      wake();
      return answers;
    },

    async claim(o) {
      const before = mark();
      const claim = await claims.claim(o);
      if (!claim) foundNothing(before, [...claims.changes]);
      return claim;
    },

    extend,
    async settle(claim, outcomes, o) {
      const answer = await settle(claim, outcomes, o);
      wake();
      return answer;
    },
    async release(claim, o) {
      await release(claim, o);
      wake();
    },

    pause: (target, reason) => setPause(target, "SADD", reason),
    async resume(target, reason) {
      await setPause(target, "SREM", reason);
      wake();
    },

    wait,
    depth: depths(engine, places),
    dead: deadLetters(engine, places),

    async bury(target, reason, o) {
      let left = o.limit;
      const older = o.olderThanMs === undefined ? "" : String(o.olderThanMs);
      for (const number of await partitionsOf(target)) {
        // A script looks at a bounded number of entries and says where it stopped.
        let from: [group: string | Buffer, place: number] = ["", 0];
        do {
          const args = [...targetArgs(target), reason, older, left, ...from];
          const answer = await engine.run("buryEntries", of(number), args);
          const [buried, group, place] = answer as [number, Buffer, number];
          if (group.equals(FULL)) return false;
          left -= buried;
          from = [group, place];
        } while (from[0].length > 0);
      }
      return true;
    },

    async expire(o) {
      // Expired records go when their partition is written; where nobody writes, they go here.
      for (const number of engine.numbers) {
        const records = engine.partition("records", number);
        while (Number(await engine.run("sweepRecords", records, [RECORDS_A_SWEEP])) === RECORDS_A_SWEEP);
      }
      let left = o.limit;
      for (const number of engine.numbers) {
        left -= Number(await engine.run("expireDead", of(number), [o.deadOlderThanMs, left]));
        if (left <= 0) return false;
      }
      return true;
    },

    async purge(destinationId, o) {
      const [number] = await partitionsOf({ destinationId });
      return number === undefined || (await engine.run("purge", of(number), [destinationId, o.limit])) === 1;
    },
  };
}

const RECORDS_A_SWEEP = 500;

/** A burial's answer where more is left than the limit allows. */
const FULL = Buffer.from("full");

const noGroup = { tenantId: "", name: "", exclusive: false, credentialId: "" };
