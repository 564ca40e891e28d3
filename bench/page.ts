import { cpus, totalmem } from "node:os";
import { dotPlot, linePlot } from "./plot.ts";
import type { Judged } from "./row.ts";

/** One bench file's rows, under its name. */
export interface Section {
  name: string;
  rows: readonly Judged[];
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

![Throughput of each path beside its limit and its peer](images/bench-throughput.svg)

${sections.map(section).join("\n\n")}
`;
}

/** The page's pictures, by file name. */
export function benchmarkPictures(sections: readonly Section[]): Map<string, string> {
  const rows = sections.flatMap((one) => one.rows);
  const paths = rows.filter((row) => row.unit.endsWith("/s") && (row.limit ?? row.peer) !== undefined);
  const pictures = new Map([
    ["bench-throughput.svg", dotPlot("Each path beside its limit and its peer", "operations a second", paths)],
  ]);
  for (const { plot } of rows) if (plot) pictures.set(`${plot.file}.svg`, linePlot(plot));
  return pictures;
}

function section({ name, rows }: Section): string {
  const lines = rows.map((row) => {
    const against = (other: number | undefined) =>
      other === undefined ? "" : `${amount(other)} (×${amount(row.value / other)})`;
    const judged = VERDICTS.get(row.ok) ?? "";
    return `| ${row.name} | ${amount(row.value)} ${row.unit} | ${against(row.limit)} | ${against(row.peer)} | ${row.target} | ${judged} |`;
  });
  const head = "| what | measured | limit | peer | target | |\n| --- | --- | --- | --- | --- | --- |";
  const pictures = rows.flatMap(({ plot }) => (plot ? [`\n\n![${plot.title}](images/${plot.file}.svg)`] : []));
  const missed = rows.flatMap(({ name: what, ok, profile }) =>
    ok === false && profile ? [`\n\nMissed, ${what}: ${profile}`] : [],
  );
  return `## ${name}\n\n${head}\n${lines.join("\n")}${missed.join("")}${pictures.join("")}`;
}

function amount(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
}
