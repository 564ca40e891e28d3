/**
 * `npm run bench`: a table; `-- --json`: the last line is one JSON object; `-- --only capi`: files whose name holds the
 * word, or one of several with commas; `-- --smoke`: small counts, for the gate, which judge nothing but counts;
 * `-- --write`: the page `docs/benchmarks.md`.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { benchmarkPictures, benchmarksPage, type Section } from "./page.ts";
import type { BenchOptions, Judged } from "./row.ts";

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
const sections: Section[] = [];
for (const file of files) {
  const rows = await measure(file, options).catch((error: Error) => {
    // The others are measured all the same.
    console.error(error.message);
    process.exitCode = 1;
    return [];
  });
  sections.push({ name: file.replace(".bench.ts", ""), rows });
  if (!values.json) for (const row of rows) console.log(line(row));
}

if (values.json) {
  console.log(
    JSON.stringify({
      results: sections
        .flatMap(({ rows }) => rows)
        .map((row) => ({
          name: row.name,
          value: row.value,
          unit: row.unit,
          limit: row.limit ?? null,
          ratioToLimit: ratio(row.value, row.limit),
          peer: row.peer ?? null,
          ratioToPeer: ratio(row.value, row.peer),
          target: row.target,
          ok: row.ok,
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

async function measure(file: string, options: BenchOptions): Promise<Judged[]> {
  const child = fork(fileURLToPath(new URL("one.ts", import.meta.url)), [JSON.stringify({ file, options })]);
  const failed = once(child, "exit").then(([code]) => {
    throw new Error(`${file} ended with ${code} before it had measured.`);
  });
  const [rows] = (await Promise.race([once(child, "message"), failed])) as [Judged[]];
  await failed.catch(() => {});
  if (child.exitCode !== 0) throw new Error(`${file} ended with ${child.exitCode}.`);
  return rows;
}

function ratio(value: number, other: number | undefined): number | null {
  return other === undefined || other === 0 ? null : Number((value / other).toFixed(3));
}

function line(row: Judged): string {
  const parts = [
    VERDICTS.get(row.ok) ?? "",
    row.name.padEnd(58),
    `${amount(row.value)} ${row.unit}`.padEnd(22),
    row.limit === undefined ? "" : `limit ${amount(row.limit)} (×${ratio(row.value, row.limit)})`,
    row.peer === undefined ? "" : `peer ${amount(row.peer)} (×${ratio(row.value, row.peer)})`,
    row.target === "" ? "" : `target ${row.target}`,
  ];
  return parts.filter((part) => part !== "").join("  ");
}

function amount(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(2);
}
