import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import base from "../../vitest.config.ts";

/** The quick tests of each room: no servers, no processes, no browser. The first file is the first to be asked. */
const TESTS: Readonly<Record<string, readonly string[]>> = {
  identity: ["vectors", "edges", "loading", "docs", "phone-paths", "peers", "properties"],
  workflow: ["mapping", "screen", "origin", "customerlabs", "presets", "envelopes", "totality"],
  delivery: [
    ...["circuit", "members-fold", "events", "members", "send-now", "limits"],
    ...["health", "dead-letters", "worker", "retention"],
  ],
};
const room = process.env.MUTATION_ROOM ?? "identity";
const files = (TESTS[room] ?? []).map((name) => `test/${room}/${name}.test.ts`);

/** A mutant dies at the first test that fails: the exact and cheap ones go first. */
class ExactFirst extends BaseSequencer {
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
  test: {
    ...base.test,
    include: files,
    testTimeout: 300_000,
    maxWorkers: 1,
    isolate: false,
    sequence: { sequencer: ExactFirst },
  },
});
