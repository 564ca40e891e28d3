/** Writes `examples/data/shop-day.ndjson`. `--check` fails when the file is not what the seed makes. */
import { readFileSync, writeFileSync } from "node:fs";
import { shopDay } from "./shop-day.ts";

const file = new URL("../examples/data/shop-day.ndjson", import.meta.url);
const text = `${shopDay()
  .events.map((event) => JSON.stringify(event))
  .join("\n")}\n`;

if (process.argv.includes("--check")) {
  if (readFileSync(file, "utf8") !== text) {
    console.error("examples/data/shop-day.ndjson is stale. Run: npm run generate:shop-day");
    process.exit(1);
  }
} else {
  writeFileSync(file, text);
  console.log(`examples/data/shop-day.ndjson: ${text.split("\n").length - 1} events, ${text.length} bytes`);
}
