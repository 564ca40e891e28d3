import { defineConfig } from "tsup";

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

export default defineConfig({
  entry,
  format: "esm",
  target: "node22",
  platform: "node",
  splitting: true,
  clean: true,
  sourcemap: true,
  // tsup strips `node:` by default, which breaks `node:sqlite`.
  removeNodeProtocol: false,
  dts: process.env.BUILD_TYPES !== "0",
});
