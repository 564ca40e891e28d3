import { cpus, totalmem } from "node:os";
import { type Row, verdict } from "./row.ts";

/** One bench file's rows, under its name. */
export interface Section {
  name: string;
  rows: readonly Row[];
}

const VERDICTS = new Map([
  [true, "met"],
  [false, "**missed**"],
  [null, "reported"],
]);

/** `docs/benchmarks.md`: what one run on one machine measured. */
export function benchmarksPage(sections: readonly Section[], at: Date): string {
  const [cpu] = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const machine = `${cpus().length} × ${cpu?.model ?? "unknown CPU"}, ${gigabytes} GB, Node ${process.versions.node}`;
  return `# Benchmarks

<!-- Made by \`npm run bench -- --write\`. Do not edit. -->

One run on ${machine}, ${at.toISOString().slice(0, 10)}. Value, limit and peer of a row are measured in the same run on the
same machine: the ratios travel, the numbers do not. A limit is what the machine allows for the same work without us, or a
number that may not be passed; a peer is a published package doing the same work. What is not in this table was not in
that run: \`npm run bench -- --only <word>\` measures a part, \`npm run bench\` all of it.

${sections.map(section).join("\n\n")}
`;
}

function section({ name, rows }: Section): string {
  const lines = rows.map((row) => {
    const target = row.goals.map((goal) => goal.words).join("; ");
    const against = (other: number | undefined) =>
      other === undefined ? "" : `${amount(other)} (×${amount(row.value / other)})`;
    const judged = VERDICTS.get(verdict(row, { smoke: false })) ?? "";
    return `| ${row.name} | ${amount(row.value)} ${row.unit} | ${against(row.limit)} | ${against(row.peer)} | ${target} | ${judged} |`;
  });
  const head = "| what | measured | limit | peer | target | |\n| --- | --- | --- | --- | --- | --- |";
  return `## ${name}\n\n${head}\n${lines.join("\n")}`;
}

function amount(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
}
