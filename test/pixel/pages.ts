import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { pixelScript } from "snapchat-destination/pixel";

/** A page of the shop: its body, and the headers it comes with. */
export interface ShopPage {
  html: string;
  headers?: Record<string, string>;
}

/** What the shop's own server answers to `/api/…`. */
export type Api = (path: string, body: string, request: IncomingMessage) => Promise<Response | undefined>;

/** A shop's web server with its pages, for a real browser. */
export interface Pages {
  /** The server's address as a page without TLS has it anywhere but on this machine. */
  readonly insecure: string;
  /** Opens a page in a browser profile of its own. Every word on the console and every error is kept. */
  open(page: ShopPage, options?: OpenOptions): Promise<Opened>;
  close(): Promise<void>;
}

export interface OpenOptions {
  path?: string;
  origin?: string;
  /** Runs before the page is loaded. */
  before?: (opened: Opened) => Promise<unknown>;
}

export interface Opened {
  page: Page;
  context: BrowserContext;
  /** Errors on the console and uncaught ones. */
  errors: string[];
  /** What the runtime warned of, where the page's `debug` is `warned`. */
  warnings(): Promise<string[]>;
  close(): Promise<void>;
}

const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--host-resolver-rules=MAP shop.test 127.0.0.1",
];

/** Runtime and router as a page with a bundler has them: one module. */
export async function moduleText(): Promise<string> {
  const path = (file: string) => fileURLToPath(new URL(`../../src/pixel/${file}`, import.meta.url));
  const { outputFiles } = await build({
    stdin: {
      contents: `export * from "${path("browser.ts")}"; export * from "${path("router.ts")}";`,
      resolveDir: "/",
    },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2021",
  });
  return outputFiles[0]?.text ?? "";
}

export async function openPages(executablePath: string, api: Api = async () => undefined): Promise<Pages> {
  const browser: Browser = await chromium.launch({ executablePath, args: ARGS });
  const files = new Map([
    ["/pixel.js", pixelScript()],
    ["/sdk.js", await moduleText()],
  ]);
  let current: ShopPage = { html: "" };
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://shop");
    const file = files.get(pathname);
    if (file !== undefined) {
      response.writeHead(200, { "content-type": "text/javascript" }).end(file);
    } else if (pathname.startsWith("/api/")) {
      const answer =
        (await api(pathname.slice(5), await text(request), request)) ?? new Response(null, { status: 204 });
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
    } else if (pathname === "/favicon.ico") {
      response.writeHead(204).end();
    } else {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...current.headers }).end(current.html);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const local = `http://127.0.0.1:${port}`;

  return {
    insecure: `http://shop.test:${port}`,
    async open(shopPage, { path = "/", origin = local, before } = {}) {
      current = shopPage;
      const context = await browser.newContext();
      const page = await context.newPage();
      const errors: string[] = [];
      page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
      page.on("pageerror", (error) => errors.push(String(error)));
      await page.addInitScript(
        "window.heard = []; window.warned = (code, name) => heard.push(name ? code + ' ' + name : code)",
      );
      const opened: Opened = {
        page,
        context,
        errors,
        warnings: () => page.evaluate("heard") as Promise<string[]>,
        close: () => context.close(),
      };
      await before?.(opened);
      await page.goto(origin + path, { waitUntil: "load" });
      return opened;
    },
    async close() {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Waits for what another program does in its own time. */
export async function until(done: () => boolean | Promise<boolean>, what: string, atMostMs = 60_000): Promise<void> {
  const deadline = Date.now() + atMostMs;
  while (!(await done())) {
    if (Date.now() > deadline) throw new Error(`Waited in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
