import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { createHttpClient, type Fetch } from "../../src/http/index.ts";

const origin = "http://snapchat.invalid";
const get = { method: "GET", url: `${origin}/v1/me`, label: "GET /v1/me" } as const;

/** Ways of a host's own `fetch` to never answer. */
const silent: Record<string, Fetch> = {
  "ignores its signal": () => new Promise(() => {}),
  // Nothing but the request's own listener holds the request, so that the engine may collect both.
  "forgets its request": ({ signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    }),
  "answers a body without an end": async () => new Response(new ReadableStream()),
};

for (const [name, fetch] of Object.entries(silent)) {
  describe(`a request whose fetch ${name}`, () => {
    const client = createHttpClient({ origins: [origin], fetch });

    it("ends at its deadline", async () => {
      await expect(client.request({ ...get, timeoutMs: 50 })).rejects.toMatchObject({
        code: "request_timeout",
        details: { sent: "maybe" },
      });
    });

    it("ends when the caller says so, before or while it runs", async () => {
      const caller = new AbortController();
      const running = client.request({ ...get, signal: caller.signal });
      setTimeout(() => caller.abort(), 20);
      await expect(running).rejects.toMatchObject({ code: "aborted" });
      await expect(client.request({ ...get, signal: caller.signal })).rejects.toMatchObject({ code: "aborted" });
    });
  });
}

it("ends at its deadline where a server takes the connection and never answers, and hangs up", async () => {
  const hungUp = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("close", () => hungUp.resolve());
    socket.resume();
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const client = createHttpClient({ origins: [`http://127.0.0.1:${port}`] });
  const url = `http://127.0.0.1:${port}/v1/me`;
  await expect(client.request({ ...get, url, timeoutMs: 100 })).rejects.toMatchObject({ code: "request_timeout" });
  await hungUp.promise;
});

it("goes to no origin but those it was given, whatever the path", async () => {
  const asked: string[] = [];
  const client = createHttpClient({
    origins: [origin],
    fetch: async ({ url }) => {
      asked.push(url);
      return new Response("{}");
    },
  });
  for (const url of [
    "https://snapchat.invalid/v1/me",
    "http://snapchat.invalid:81/v1/me",
    "http://evil.invalid/v1/me",
  ]) {
    const refused = { code: "origin_not_allowed", kind: "fix_configuration", details: { sent: "no" } };
    await expect(client.request({ ...get, url })).rejects.toMatchObject(refused);
  }
  expect(asked).toEqual([]);
  expect((await client.request(get)).json).toEqual({});
});
