import { writeFile } from "node:fs/promises";
import { defineConfig } from "tsup";
import { buildPixelScript } from "./scripts/pixel-script.ts";

/** Entry points of the package; `package.json#exports` names the same ones. */
const entry = {
  index: "src/index.ts",
  "auth/index": "src/auth/index.ts",
  "capi/index": "src/capi/index.ts",
  "audiences/index": "src/audiences/index.ts",
  "workflow/index": "src/workflow/index.ts",
  "identity/index": "src/identity/index.ts",
  "pixel/index": "src/pixel/index.ts",
  "memory/index": "src/memory/index.ts",
  "sqlite/index": "src/sqlite/index.ts",
  "redis/index": "src/redis/index.ts",
  "postgres/index": "src/postgres/index.ts",
  "storage/index": "src/storage/index.ts",
  "testing/index": "src/testing/index.ts",
  "cli/bin": "src/cli/bin.ts",
};

/** What runs in pages: built apart, because it must not share a chunk with anything of Node. */
const browser = {
  "pixel/browser": "src/pixel/browser.ts",
  "pixel/router": "src/pixel/router.ts",
};

const script = await buildPixelScript();

/** `scripts/build.ts` builds aside and puts the whole in the place of `dist`. */
const outDir = process.env.BUILD_INTO ?? "dist";

export default defineConfig([
  {
    entry,
    outDir,
    format: "esm",
    target: "node22",
    platform: "node",
    splitting: true,
    sourcemap: true,
    // tsup strips `node:` by default, which breaks `node:sqlite`.
    removeNodeProtocol: false,
    define: { PIXEL_SCRIPT: JSON.stringify(script) },
    dts: process.env.BUILD_TYPES === "0" ? false : { entry: { ...entry, ...browser } },
  },
  {
    entry: browser,
    outDir,
    format: "esm",
    target: "es2021",
    platform: "browser",
    splitting: false,
    sourcemap: true,
    onSuccess: () => writeFile(`${outDir}/pixel/browser.global.js`, `${script}\n`),
  },
]);
