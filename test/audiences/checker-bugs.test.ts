import { describe, expect, it } from "vitest";
import { firstFailing } from "../delivery/checker/first-failing.ts";
import { type Bug, plantRooms } from "../delivery/checker/plant.ts";
import { type Rooms, runHistory } from "./checker/history.ts";

/** Seeds that run without a bug in `checker.test.ts`; each bug below must fail one of them. */
const SEEDS = Number(process.env.CHECKER_COUNT ?? 2_000);

const planted: Record<string, Bug | Bug[]> = {
  "a sweep also removes who entered after the run had begun": [
    {
      file: "members-task.ts",
      find: "{ notSeenIn: position, positionBefore: position }",
      replace: "{ notSeenIn: position }",
    },
    {
      file: "members-task.ts",
      find: '({ ...row, op: "remove", position });',
      replace: '({ ...row, op: "remove", position: position + 1_000_000 });',
    },
  ],
  "a sweep removes whom its own run has seen": {
    file: "members-task.ts",
    find: "{ notSeenIn: position, positionBefore: position }",
    replace: "{}",
  },
  "a page stands where it was queued, not where its run began": {
    file: "list-queue.ts",
    find: "items, position });",
    replace: "items });",
  },
  "who leaves does not take the unnamed row along": {
    file: "members-fold.ts",
    find: "[{ person }, { person: UNNAMED }]",
    replace: "[{ person }]",
  },
  "who leaves takes along only what the event names": {
    file: "members-whole.ts",
    find: "if (!members || !person || member.op",
    replace: "if (members || !person || member.op",
  },
  "touched identifiers are not told again": {
    file: "members-plan.ts",
    find: "if (!said && one.doubted) unchanged.push(one);",
    replace: "",
  },
  "a batch that failed is settled with those before it": {
    file: "members-work.ts",
    find: "work.passedBefore = gate.passed;",
    replace: "work.passedBefore = gate.passed;\n    work.done.push(...batch);",
  },
  "members are written down before Snapchat has accepted them": {
    file: "members-tell.ts",
    find: "for (const page of plan.pages) {",
    replace: 'if ((await commit(bringing, plan, o.run)) === "lost") return "lost";\n  for (const page of plan.pages) {',
  },
  "a segment that is made again gets only what changed": {
    file: "members-task.ts",
    find: 'send: "everything"',
    replace: "",
  },
  "the last changes of a list stay behind": {
    file: "list/sync.ts",
    find: "await flush(entry, 1);",
    replace: "",
  },
  "a page of differences loses whose they are": {
    file: "list/page-buffer.ts",
    find: "persons: page.persons && pick(page.persons, PERSON_BYTES),",
    replace: "persons: undefined,",
  },
  "a pause for a deletion that is answered meanwhile is left": [
    { file: "members-work.ts", find: 'if (stored?.link.state === "deleted") return true;', replace: "return true;" },
    { file: "sweep.ts", find: "await resumeAnswered(storage, depth, signal);", replace: "" },
  ],
  "a run that is gone on with takes a new place in the order": {
    file: "list/sync.ts",
    find: "const run = (await readRun(records, sync.segment, sync.runId)) ?? (await begin(dependencies, sync));",
    replace:
      // biome-ignore lint/suspicious/noTemplateCurlyInString: source that is put in the place of other source
      "const run = await begin(dependencies, { ...sync, runId: `${sync.runId}${dependencies.clock.monotonic()}` });",
  },
};

/** Seeds that find those that few do. */
const KNOWN: Readonly<Record<string, number>> = {
  "touched identifiers are not told again": 192,
  "a segment that is made again gets only what changed": 12,
  "a pause for a deletion that is answered meanwhile is left": 1_938,
};

describe("a planted bug is found", { timeout: 300_000 }, () => {
  for (const [name, bug] of Object.entries(planted)) {
    it(name, async () => {
      const { load, remove } = plantRooms(["delivery", "audiences"], [bug].flat());
      try {
        const { createDelivery } = await load<Pick<Rooms, "createDelivery">>("delivery");
        const { syncList } = await load<Pick<Rooms, "syncList">>("audiences");
        const found = await firstFailing(name, {
          known: KNOWN[name],
          seeds: SEEDS,
          fails: async (seed) => (await runHistory({ seed, rooms: { createDelivery, syncList } })).length > 0,
        });
        expect(found).toBeDefined();
      } finally {
        remove();
      }
    });
  }
});
