import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { buildPixelScript } from "../scripts/pixel-script.ts";
import { atMost, type Bench, type Row } from "./row.ts";

const ENTRIES = [
  { name: "./identity", source: "identity/index.ts", limit: 25 },
  { name: "./capi", source: "capi/index.ts", limit: 60 },
  { name: "the whole package", source: "index.ts", limit: 120 },
];

/** What the package weighs: the first import in a new process, and the bytes that go to a browser. */
export const rows: Bench = async ({ smoke }) => [
  ...(await coldImports(smoke ? 1 : 11)),
  bytes("the pixel's script for pages, gzip", await buildPixelScript(), 2_000),
  bytes("the browser's router, gzip", await routerScript(), 1_500),
];

/** The time of the first `import`, bundled as it is published, in turns; the median of each. */
async function coldImports(times: number): Promise<Row[]> {
  const directory = new URL("../node_modules/.cache/bench-import/", import.meta.url);
  mkdirSync(directory, { recursive: true });
  const outdir = fileURLToPath(directory);
  const outbase = fileURLToPath(new URL("../src", import.meta.url));
  await build({
    entryPoints: ENTRIES.map(({ source }) => `${outbase}/${source}`),
    outdir,
    outbase,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    packages: "external",
    define: { PIXEL_SCRIPT: '""' },
  });
  const measured = ENTRIES.map(() => [] as number[]);
  for (let round = 0; round < times; round++) {
    for (const [n, { source }] of ENTRIES.entries()) {
      const file = JSON.stringify(`${outdir}${source.replace(/ts$/, "js")}`);
      const script = `const started = performance.now(); await import(${file}); console.log(performance.now() - started);`;
      const said = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
      measured[n]?.push(Number(said));
    }
  }
  rmSync(directory, { recursive: true });
  return ENTRIES.map(({ name, limit }, n) => {
    const sorted = (measured[n] ?? []).sort((a, b) => a - b);
    const value = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
    return { name: `cold import of ${name}`, value, unit: "ms", limit, goals: [atMost(1, "limit")] };
  });
}

async function routerScript(): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: 'export { createRouter } from "./router.ts";',
      resolveDir: fileURLToPath(new URL("../src/pixel", import.meta.url)),
    },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2021",
  });
  return outputFiles[0]?.text ?? "";
}

function bytes(name: string, script: string, limit: number): Row {
  const value = gzipSync(script, { level: 9 }).length;
  return { name, value, unit: "bytes", limit, goals: [atMost(1, "limit")], isCount: true };
}
