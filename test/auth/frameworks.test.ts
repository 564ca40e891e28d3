import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import createExpress from "express";
import createFastify from "fastify";
import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as express from "../../examples/connect/express.ts";
import * as fastify from "../../examples/connect/fastify.ts";
import * as hono from "../../examples/connect/hono.ts";
import type { Host } from "../../examples/connect/host.ts";
import * as next from "../../examples/connect/next.ts";
import * as nodeHttp from "../../examples/connect/node-http.ts";
import { createOAuthRoutes, toNodeHandler, type Vault } from "../../src/auth/index.ts";
import { type TestWorld, world } from "./support.ts";

let w: TestWorld;
let vault: Vault;
let host: Host;
let closing: (() => unknown)[];
beforeEach(async () => {
  w = await world();
  vault = w.process();
  const oauth = createOAuthRoutes({ vault, records: w.records, clock: w.clock });
  host = { oauth, mayEdit: (cookie, tenantId) => tenantId === "acme" && /session=ada/.test(cookie ?? "") };
  closing = [];
});
afterEach(async () => {
  for (const close of closing) await close();
  await w.simulator.close();
});

/** How a browser reaches the host. */
type Visit = (path: string, cookie: string) => Promise<Response>;

async function listening(server: Server): Promise<Visit> {
  closing.push(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  return visiting(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

function visiting(origin: string): Visit {
  return (path, cookie) => fetch(origin + path, { redirect: "manual", headers: { cookie } });
}

const HOSTS: Record<string, () => Promise<Visit>> = {
  async hono() {
    const app = new Hono();
    hono.mount(app, host);
    return async (path, cookie) => app.request(`https://cdp.example${path}`, { headers: { cookie } });
  },
  async next() {
    const { connect, callback } = next.handlers(host);
    return (path, cookie) => {
      const request = new Request(`https://cdp.example${path}`, { headers: { cookie } });
      return path.startsWith("/snapchat/connect") ? connect(request) : callback(request);
    };
  },
  "node-http": async () => listening(nodeHttp.server(host)),
  async express() {
    const app = createExpress();
    express.mount(app, host);
    return listening(createServer(app));
  },
  async fastify() {
    const app = createFastify();
    fastify.mount(app, host);
    closing.push(() => app.close());
    return visiting(await app.listen({ port: 0, host: "127.0.0.1" }));
  },
};

describe.each(Object.keys(HOSTS))("the example for %s", (name) => {
  it("signs in, and comes back to the destination's page", async () => {
    const visit = await (HOSTS[name] as () => Promise<Visit>)();
    const started = await visit("/snapchat/connect?tenant=acme&destination=d1", "session=ada");
    expect(started.status).toBe(302);
    const [cookie = ""] = started.headers.getSetCookie().map((text) => text.split(";", 1)[0]);
    const back = new URL(w.simulator.consent(started.headers.get("location") ?? ""));
    const ended = await visit(back.pathname + back.search, `session=ada; ${cookie}`);
    expect([ended.status, ended.headers.get("location")]).toEqual([303, "/destinations/d1?snapchat=connected"]);
    expect(ended.headers.getSetCookie()[0]).toMatch(/Max-Age=0/);
    expect(await vault.connections.list("acme")).toHaveLength(1);
  });

  it("lets nobody in who may not edit", async () => {
    const visit = await (HOSTS[name] as () => Promise<Visit>)();
    expect((await visit("/snapchat/connect?tenant=acme&destination=d1", "session=eve")).status).toBe(403);
    const started = await visit("/snapchat/connect?tenant=acme&destination=d1", "session=ada");
    const [cookie = ""] = started.headers.getSetCookie().map((text) => text.split(";", 1)[0]);
    const back = new URL(w.simulator.consent(started.headers.get("location") ?? ""));
    const ended = await visit(back.pathname + back.search, `session=eve; ${cookie}`);
    expect(ended.headers.get("location")).toBe(null);
    expect(ended.status).toBe(403);
    expect(await vault.connections.list("acme")).toEqual([]);
  });

  it("stands in the documentation to the letter", () => {
    const source = readFileSync(new URL(`../../examples/connect/${name}.ts`, import.meta.url), "utf8");
    const region = /\/\/ #region docs\n(.*?)\n *\/\/ #endregion/s.exec(source)?.[1] ?? "";
    const lines = region.split("\n").filter((line) => line.trim() !== "");
    const indent = Math.min(...lines.map((line) => line.length - line.trimStart().length));
    const text = region.split("\n").map((line) => line.slice(indent));
    const docs = readFileSync(new URL("../../docs/connect.md", import.meta.url), "utf8");
    expect(docs).toContain(`\`\`\`ts\n${text.join("\n")}\n\`\`\``);
  });
});

describe("a handler of Node's own kind", () => {
  it("keeps an error from the browser, and gives it to Express", async () => {
    const failing = toNodeHandler(() => {
      throw new Error("token=secret");
    });
    const visit = await listening(createServer((incoming, outgoing) => void failing(incoming, outgoing)));
    const response = await visit("/", "");
    expect([response.status, await response.text()]).toEqual([500, "Internal Server Error"]);
    const given: unknown[] = [];
    const withNext = createServer((incoming, outgoing) => {
      void failing(incoming, outgoing, (error) => {
        given.push(error);
        outgoing.end();
      });
    });
    await (await listening(withNext))("/", "");
    expect(given).toMatchObject([{ message: "token=secret" }]);
  });

  it("reads the whole path under a mounted router, and no host from it", async () => {
    const seen: string[] = [];
    const handler = toNodeHandler((request) => {
      seen.push(new URL(request.url).pathname, new URL(request.url).hostname);
      return new Response("ok", { headers: { "x-test": "1" } });
    });
    const server = createServer((incoming, outgoing) => {
      void handler(Object.assign(incoming, { originalUrl: `/mounted${incoming.url}` }), outgoing);
    });
    expect((await (await listening(server))("/x?y=1", "")).headers.get("x-test")).toBe("1");
    const plain = createServer((incoming, outgoing) => {
      incoming.url = "//evil.example/x";
      void handler(incoming, outgoing);
    });
    await (await listening(plain))("/", "");
    expect(seen).toEqual(["/mounted/x", "127.0.0.1", "/evil.example/x", "127.0.0.1"]);
  });
});
