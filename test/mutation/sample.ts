/**
 * Two plugins for Stryker.
 *
 * `sample` lets through as many mutants as `MUTATION_SAMPLE` says, drawn at random from all that a run would try, each as likely as
 * any other, and in the order they were drawn: what has been tried when a run is cut off is a sample, too, in which those that no
 * test reaches weigh more, because they are told first. Which are drawn follows from `MUTATION_SEED` and from the mutants themselves:
 * a change elsewhere keeps them, and a larger sample begins with the smaller.
 *
 * `lines` writes each outcome to `MUTATION_LINES` as it comes, one JSON object a line.
 */
import { createHash } from "node:crypto";
import { appendFileSync } from "node:fs";

interface Mutant {
  readonly id: string;
  readonly fileName: string;
  readonly location: { readonly start: { readonly line: number; readonly column: number } };
  readonly mutatorName: string;
  readonly replacement: string;
}

const size = Number(process.env.MUTATION_SAMPLE);
const lines = process.env.MUTATION_LINES ?? "";
const seed = process.env.MUTATION_SEED;

const nameOf = ({ fileName }: Mutant) => fileName.slice(fileName.lastIndexOf("/src/") + 1);

function rank(mutant: Mutant): string {
  const { start } = mutant.location;
  const place = [seed, nameOf(mutant), start.line, start.column, mutant.mutatorName, mutant.replacement];
  return createHash("sha256").update(JSON.stringify(place)).digest("hex");
}

const write = (line: object) => appendFileSync(lines, `${JSON.stringify(line)}\n`);

export const strykerPlugins = [
  {
    kind: "Checker",
    name: "sample",
    value: {
      init: async () => {},
      /** A group for each that is drawn, in order, and one for all others. */
      async group(mutants: readonly Mutant[]): Promise<string[][]> {
        const ranked = mutants.map((mutant) => ({ id: mutant.id, rank: rank(mutant) }));
        const ids = ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1)).map(({ id }) => id);
        write({ places: ids.length });
        const others = ids.slice(size);
        // One alone would be taken for drawn, and may as well be.
        return [...ids.slice(0, size).map((id) => [id]), ...(others.length > 0 ? [others] : [])];
      },
      async check(group: readonly Mutant[]): Promise<Record<string, object>> {
        const outcome = group.length === 1 ? { status: "passed" } : { status: "compileError", reason: "not drawn" };
        return Object.fromEntries(group.map(({ id }) => [id, outcome]));
      },
    },
  },
  {
    kind: "Reporter",
    name: "lines",
    value: {
      onMutantTested(mutant: Mutant & { readonly status: string }): void {
        const { status, location, replacement } = mutant;
        if (status !== "CompileError") write({ status, file: nameOf(mutant), line: location.start.line, replacement });
      },
    },
  },
];
