/**
 * `npm run bench`: a table; `-- --json`: the last line is one JSON object; `-- --only capi`: files whose name holds the
 * word, or one of several with commas; `-- --smoke`: small counts, for the gate, which judge nothing but counts;
 * `-- --write`: the page `docs/benchmarks.md`.
 */
import { readdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { benchmarkPictures, benchmarksPage, type Section } from "./page.ts";
import { type Bench, type Row, verdict } from "./row.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean" },
    smoke: { type: "boolean" },
    only: { type: "string" },
    write: { type: "boolean" },
  },
});

/** Not judged is a dash. */
const VERDICTS = new Map([
  [true, "ok    "],
  [false, "MISSED"],
  [null, "—     "],
]);

const words = values.only?.split(",");
const files = readdirSync(new URL(".", import.meta.url))
  .filter((file) => file.endsWith(".bench.ts") && (words === undefined || words.some((word) => file.includes(word))))
  .sort();

const options = { smoke: values.smoke === true };
const results: Row[] = [];
const sections: Section[] = [];
for (const file of files) {
  const bench = (await import(new URL(file, import.meta.url).href)) as { rows: Bench };
  const rows = await bench.rows(options);
  sections.push({ name: file.replace(".bench.ts", ""), rows });
  for (const row of rows) {
    results.push(row);
    if (!values.json) console.log(line(row));
  }
}

if (values.json) {
  console.log(
    JSON.stringify({
      results: results.map((row) => ({
        name: row.name,
        value: row.value,
        unit: row.unit,
        limit: row.limit ?? null,
        ratioToLimit: ratio(row.value, row.limit),
        peer: row.peer ?? null,
        ratioToPeer: ratio(row.value, row.peer),
        target: target(row),
        ok: verdict(row, options),
      })),
    }),
  );
}

if (values.write) {
  for (const [file, picture] of benchmarkPictures(sections)) {
    writeFileSync(new URL(`../docs/images/${file}`, import.meta.url), picture);
  }
  writeFileSync(new URL("../docs/benchmarks.md", import.meta.url), benchmarksPage(sections, new Date()));
}

function target(row: Row): string {
  return row.goals.map((goal) => goal.words).join("; ");
}

function ratio(value: number, other: number | undefined): number | null {
  return other === undefined || other === 0 ? null : Number((value / other).toFixed(3));
}

function line(row: Row): string {
  const parts = [
    VERDICTS.get(verdict(row, options)) ?? "",
    row.name.padEnd(58),
    `${amount(row.value)} ${row.unit}`.padEnd(22),
    row.limit === undefined ? "" : `limit ${amount(row.limit)} (×${ratio(row.value, row.limit)})`,
    row.peer === undefined ? "" : `peer ${amount(row.peer)} (×${ratio(row.value, row.peer)})`,
    row.goals.length === 0 ? "" : `target ${target(row)}`,
  ];
  return parts.filter((part) => part !== "").join("  ");
}

function amount(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(2);
}
