import { checkEntries } from "../checks.ts";
import { missingTransactions } from "../errors.ts";
import type { Outbox } from "../ports.ts";
import { appendEntries, openGroup } from "./append.ts";
import { claimEntries } from "./claim.ts";
import { depths } from "./depth.ts";
import { buryEntries, deleteDead, expireDead, listDead, purgeDestination, setPause } from "./keeping.ts";
import { extendClaim, releaseClaim, settleClaim } from "./settle.ts";
import { createState } from "./state.ts";
import { waiter } from "./wait.ts";

/** The outbox in memory: the port's rules in their plainest form. Nothing survives the process. */
export function memoryOutbox(now: () => number, o: { name: string; maxEntryBytes: number }): Outbox {
  const state = createState();
  const { wait, wake, foundNothing } = waiter(state, now);
  return {
    async open(groups) {
      for (const group of groups) openGroup(state, group);
      wake();
    },
    async append(entries, options = {}) {
      if (options.tx !== undefined) throw missingTransactions(o.name);
      checkEntries(entries, o.maxEntryBytes);
      const answers = appendEntries(state, entries, now());
      wake();
      return answers;
    },
    async claim(options) {
      const at = now();
      const claim = claimEntries(state, options, at);
      if (!claim) foundNothing(at);
      return claim;
    },
    extend: async (claim, leaseMs) => extendClaim(state, claim, leaseMs, now()),
    async settle(claim, outcomes, options = {}) {
      const answer = settleClaim(state, claim, outcomes, options.holdGroupMs, now());
      wake();
      return answer;
    },
    async release(claim, options = {}) {
      releaseClaim(state, claim, options.holdGroupMs, now());
      wake();
    },
    pause: async (target, reason) => setPause(state, target, reason, true),
    async resume(target, reason) {
      setPause(state, target, reason, false);
      wake();
    },
    wait,
    depth: async (destinationIds) => depths(state, destinationIds, now()),
    dead: {
      list: async (options) => listDead(state, options, now()),
      delete: async (options) => deleteDead(state, options),
    },
    bury: async (target, reason, options) => buryEntries(state, target, reason, options, now()),
    expire: async (options) => expireDead(state, options, now()),
    purge: async (destinationId, options) => purgeDestination(state, destinationId, options.limit, now()),
  };
}
