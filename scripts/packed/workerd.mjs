// Bundles the worker as wrangler would and asks it once in workerd.
import { build } from "esbuild";
import { Miniflare } from "miniflare";

const { outputFiles } = await build({
  entryPoints: ["edge-worker.mjs"],
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2023",
  platform: "browser",
  conditions: ["workerd", "worker"],
  external: ["node:*"],
  outdir: "/",
  write: false,
});
const isEntry = ({ path }) => path === "edge-worker.js";
const modules = outputFiles
  .map(({ path, text }) => ({ type: "ESModule", path: path.slice(1), contents: text }))
  .sort((a, b) => Number(isEntry(b)) - Number(isEntry(a)));
const miniflare = new Miniflare({ modules, compatibilityDate: "2026-05-01", compatibilityFlags: ["nodejs_compat"] });
const response = await miniflare.dispatchFetch("http://edge.example/", { method: "POST", body: process.argv[2] });
console.log(await response.text());
await miniflare.dispose();
