/**
 * A plugin for Stryker: lets through as many mutants as `MUTATION_SAMPLE` says, drawn at random from all that a run would try,
 * each as likely as any other. Which they are follows from `MUTATION_SEED` and from the mutants themselves: a change elsewhere
 * keeps those that are drawn, and a larger sample contains the smaller.
 */
import { createHash } from "node:crypto";

interface Mutant {
  readonly id: string;
  readonly fileName: string;
  readonly location: { readonly start: { readonly line: number; readonly column: number } };
  readonly mutatorName: string;
  readonly replacement: string;
}

const size = Number(process.env.MUTATION_SAMPLE);
const seed = process.env.MUTATION_SEED;

function rank({ fileName, location: { start }, mutatorName, replacement }: Mutant): string {
  const file = fileName.slice(fileName.lastIndexOf("/src/"));
  const place = [seed, file, start.line, start.column, mutatorName, replacement];
  return createHash("sha256").update(JSON.stringify(place)).digest("hex");
}

export const strykerPlugins = [
  {
    kind: "Checker",
    name: "sample",
    value: {
      init: async () => {},
      // All at once: a sample is drawn from the whole.
      group: async (mutants: readonly Mutant[]) => [mutants.map(({ id }) => id)],
      check: async (mutants: readonly Mutant[]) => {
        const drawn = mutants.map((mutant) => ({ id: mutant.id, rank: rank(mutant) }));
        drawn.sort((a, b) => (a.rank < b.rank ? -1 : 1));
        return Object.fromEntries(
          drawn.map(({ id }, n) =>
            n < size ? [id, { status: "passed" }] : [id, { status: "compileError", reason: "not in the sample" }],
          ),
        );
      },
    },
  },
];
