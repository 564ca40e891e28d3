/** One bench file in a process of its own, so that no other's heap and compiled code are part of what it measures. */
import { type Bench, type BenchOptions, judged } from "./row.ts";

const { file, options } = JSON.parse(process.argv[2] ?? "") as { file: string; options: BenchOptions };
const { rows } = (await import(new URL(file, import.meta.url).href)) as { rows: Bench };
process.send?.((await rows(options)).map((row) => judged(row, options)));
process.disconnect();
