import { describe, expect, it } from "vitest";
import { createDelivery } from "../../src/delivery/index.ts";
import type { Storage } from "../../src/storage/ports.ts";
import { memoryEngine } from "./checker/engine.ts";
import { firstFailing } from "./checker/first-failing.ts";
import { type HistoryOptions, runHistory } from "./checker/history.ts";
import { type Bug, plant } from "./checker/plant.ts";

/** Seeds that `npm test` runs without a bug; each bug below must fail one of them. */
const SEEDS = Number(process.env.CHECKER_COUNT ?? 2_000);

const planted: Record<string, Bug | Bug[]> = {
  "an outcome unknown for longer than 48 h is sent again": [
    {
      file: "events-work.ts",
      find: "if (memoryEnds !== undefined && age + settings.leaseMs > memoryEnds) {",
      replace: "if (memoryEnds === -1) {",
    },
    { file: "events-work.ts", find: "if (memoryEnds !== undefined) leftMs", replace: "if (memoryEnds === -1) leftMs" },
  ],
  "a claim that nobody settled leaves no doubt": {
    file: "work.ts",
    find: "if (progress) noteUnsettled(entry, progress);",
    replace: "",
  },
  "a stamp forgets what is in doubt": {
    file: "work.ts",
    find: "progress: writeProgress({ ...progress, writtenAgeMs",
    replace: "progress: writeProgress({ ...progress, unknown: [], writtenAgeMs",
  },
  "a void slot is used": {
    file: "gate.ts",
    find: "if (clock.monotonic() <= toMs && lease",
    replace: "if (lease",
  },
  "extra requests take no slot": {
    file: "gate.ts",
    find: "slot = undefined;",
    replace: "",
  },
  "what shall be tried again is settled as done": {
    file: "events-entry.ts",
    find: "if (!open.again) return",
    replace: "if (!open.again || open.events.length > 3) return",
  },
  "what is delivered stays open in an entry that goes back": {
    file: "events-work.ts",
    find: 'if (outcome.status === "delivered") {\n    end(open, index);',
    replace: 'if (outcome.status === "delivered") {',
  },
  "consent is asked at ingest only": {
    file: "events-work.ts",
    find: "const allowed = consent?.allowed(tenantId, destinationId, event.subjects, event.acceptedAtMs, event) ?? true;",
    replace: "const allowed: boolean | Promise<boolean> = consent !== undefined || true;",
  },
  "touched identifiers are not told again": {
    file: "members-plan.ts",
    find: "if (!said && one.doubted) unchanged.push(one);",
    replace: "",
  },
  "members are written down before Snapchat has accepted them": {
    file: "members-tell.ts",
    find: "for (const page of plan.pages) {",
    replace: 'if ((await commit(bringing, plan, run)) === "lost") return "lost";\n  for (const page of plan.pages) {',
  },
  "the position of a change is ignored": {
    file: "members-entry.ts",
    find: "open.placed.push({ member, position: entry.position, doubted });",
    replace: "open.placed.unshift({ member, position: 1, doubted });",
  },
  "a request that may still land is overtaken": {
    file: "members-work.ts",
    find: "waitMs = holdMs = settings.settleDownMs;",
    replace: "holdMs = 0;",
  },
  "a segment is asked for again without looking for its marker": {
    file: "segment-ensure.ts",
    find: 'if (link.state === "creating" || mayBeMade(context)) {',
    replace: 'if (link.state === "deleted" || mayBeMade(context)) {',
  },
  "a lost login makes dead letters": {
    file: "events-work.ts",
    find: 'if (outcome.status === "rejected") {',
    replace: 'if (outcome.status === "rejected" || outcome.status === "unauthorized") {',
  },
};

/** Bugs of an engine that the room relies on. */
const engines: Record<string, (storage: Storage) => Storage> = {
  "settles without a fence": (storage) => {
    const { outbox } = storage;
    return {
      ...storage,
      outbox: {
        ...outbox,
        settle: async (...call) => ((await outbox.settle(...call)) === "lost" ? "settled" : "settled"),
      },
    };
  },
  "does not count claims": (storage) => {
    const { outbox } = storage;
    return {
      ...storage,
      outbox: {
        ...outbox,
        async claim(options) {
          const claim = await outbox.claim(options);
          return claim && { ...claim, entries: claim.entries.map((entry) => ({ ...entry, claims: 1 })) };
        },
      },
    };
  },
  "gives twice the slots": (storage) => {
    const { slots } = storage;
    return {
      ...storage,
      ...(slots
        ? {
            slots: {
              ...slots,
              reserve: (scopes, want) =>
                slots.reserve(
                  scopes.map((scope) => ({ ...scope, perWindow: scope.perWindow * 2 })),
                  want,
                ),
            },
          }
        : {}),
    };
  },
};

/** Seeds that find those that few do. */
const KNOWN: Readonly<Record<string, number>> = {
  "an outcome unknown for longer than 48 h is sent again": 21,
  "a claim that nobody settled leaves no doubt": 21,
  "a stamp forgets what is in doubt": 21,
  "a void slot is used": 336,
  "consent is asked at ingest only": 15,
  "touched identifiers are not told again": 52,
  "a request that may still land is overtaken": 43,
  "does not count claims": 21,
};

const find = (bug: string, options: Omit<HistoryOptions, "seed">) =>
  firstFailing(bug, {
    known: KNOWN[bug],
    seeds: SEEDS,
    fails: async (seed) => (await runHistory({ ...options, seed })).violations.length > 0,
  });

describe("a planted bug is found", { timeout: 300_000 }, () => {
  for (const [name, bug] of Object.entries(planted)) {
    it(name, async () => {
      const { create, remove } = await plant(Array.isArray(bug) ? bug : [bug]);
      try {
        const found = await find(name, { create });
        expect(found).toBeDefined();
      } finally {
        remove();
      }
    });
  }
  for (const [name, breakIt] of Object.entries(engines)) {
    it(`an engine that ${name}`, async () => {
      const found = await find(name, {
        create: createDelivery,
        async engine(clock) {
          const { storage, remove } = await memoryEngine(clock);
          return { storage: breakIt(storage), remove };
        },
      });
      expect(found).toBeDefined();
    });
  }
});
