import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import base from "../../vitest.config.ts";
import { keptThread } from "./pool.ts";

/** The quick tests of each room, the cheapest first: no servers, no processes, no browser. */
const TESTS: Readonly<Record<string, readonly string[]>> = {
  identity: [
    ...[
      "identity/keeping",
      "identity/country",
      "identity/preload",
      "identity/phone-edges",
      "identity/edges",
      "identity/vectors",
      "identity/docs",
      "capi/prepare",
      "identity/peers",
      "identity/properties",
    ],
    ...["capi/kept", "identity/phone-paths", "identity/loading"],
  ],
  workflow: [
    ...[
      "workflow/origin",
      "workflow/reading",
      "workflow/envelopes",
      "workflow/screen",
      "rules/check",
      "snapchat/settings",
    ],
    ...["snapchat/seen-events", "snapchat/ids", "snapchat/skip-share", "workflow/mapping", "workflow/presets"],
    ...["snapchat/explain", "workflow/totality", "workflow/customerlabs"],
  ],
  delivery: [
    ...[
      "delivery/parts/*",
      "delivery/judging",
      "delivery/members-fold",
      "delivery/events",
      "delivery/send-now",
      "delivery/health",
      "delivery/dead-letters",
    ],
    ...["delivery/retention", "delivery/limits", "delivery/circuit", "delivery/members", "delivery/worker"],
    ...["delivery/checker-memory", "audiences/checker", "delivery/backup", "people/withdraw", "snapchat/consent"],
    ...["snapchat/list-consent", "audiences/segments", "audiences/members", "audiences/lists", "snapchat/delivery"],
    ...["snapchat/telemetry", "snapchat/upkeep", "snapchat/track", "snapchat/send-now", "delivery/slow-engine"],
    ...["snapchat/receipts", "snapchat/segment-sync"],
  ],
};
const room = process.env.MUTATION_ROOM ?? "identity";
const files = (TESTS[room] ?? []).map((name) => `test/${name}.test.ts`);

/** A mutant dies at the first test that fails. */
class CheapestFirst extends BaseSequencer {
  override async sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => files.findIndex((file) => moduleId.endsWith(file));
    return specifications.toSorted((a, b) => rank(a) - rank(b));
  }
}

const fastCheck = { find: /^fast-check$/, replacement: fileURLToPath(new URL("fast-check.ts", import.meta.url)) };

const { alias: aliases } = base.resolve as { alias: (typeof fastCheck)[] };

export default defineConfig({
  ...base,
  resolve: { alias: [fastCheck, ...aliases] },
  // Stryker names a pool of vitest's own: ours takes its place once that is read.
  plugins: [
    {
      name: "kept-thread",
      configureVitest: ({ project }) => {
        Object.assign(project.config, { pool: keptThread.name, poolRunner: keptThread });
      },
    },
  ],
  test: {
    ...base.test,
    globalSetup: [],
    setupFiles: [],
    include: files,
    testTimeout: 300_000,
    maxWorkers: 1,
    isolate: false,
    // Seeded histories of delivery and of segments.
    env: { CHECKER_COUNT: "40" },
    sequence: { sequencer: CheapestFirst },
  },
});
