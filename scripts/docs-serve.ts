/** `npm run docs:serve`: shows the site that `npm run docs` built, on this machine only. `PORT` overrides the port. */
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../examples/needs.ts";

const site = fileURLToPath(new URL("../docs/api", import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css",
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  // What a page links to and is none: shown, not downloaded.
  ".ts": "text/plain; charset=utf-8",
  ".mjs": "text/plain; charset=utf-8",
  ".md": "text/plain; charset=utf-8",
  ".toml": "text/plain; charset=utf-8",
  ".yml": "text/plain; charset=utf-8",
  "": "text/plain; charset=utf-8",
};

/** The file of an address: inside the site, or none. */
function fileOf(address: string): string | undefined {
  try {
    const path = normalize(decodeURIComponent(address.split(/[?#]/, 1)[0] ?? "/"));
    const file = join(site, path.endsWith("/") ? `${path}index.html` : path);
    return file.startsWith(site) && statSync(file).isFile() ? file : undefined;
  } catch {
    return undefined;
  }
}

if (!existsSync(site)) {
  console.error("There is no site yet. Run: npm run docs");
  process.exit(1);
}
const port = await freePort(4020);
createServer((request, response) => {
  const file = fileOf(request.url ?? "/");
  if (file === undefined) {
    response.writeHead(404, { "content-type": "text/plain" }).end("There is no such page.\n");
    return;
  }
  response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
  createReadStream(file).pipe(response);
}).listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port}/`));
