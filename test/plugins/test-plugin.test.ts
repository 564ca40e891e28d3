import { describe, expect, it } from "vitest";
import type { Plugin } from "../../src/plugins/index.ts";
import { testPlugin } from "../../src/testing/plugin.ts";
import { canonicalEvent } from "./events.ts";

const key = new Uint8Array(32).fill(1);

/** A plugin with every hook, each as it should be. */
const good: Plugin = {
  name: "good",
  source: { name: "good", read: (event) => canonicalEvent({ name: typeof event === "object" ? "Thing" : "" }) },
  enrich: async (events) => events.map(({ ids }) => (ids.userId ? { traits: { loyal: true } } : undefined)),
  resolveIdentity: ({ userId }) => (userId ? { personKey: `p-${userId}` } : undefined),
  consent: () => true,
  beforeSend: (event) => ({ ...event, custom_data: { ...event.custom_data, status: "ok" } }),
  functions: { double: (value) => Number(value) * 2 },
  operators: { same: (found, value) => found === value },
  segments: {
    list: () => [{ key: "vip" }],
    async *members(name) {
      if (name === "vip") yield { email: "person@example.com" };
    },
  },
  catalogue: () => ["Thing"],
  keys: { sealingKey: () => ({ id: "k1", key }), openingKey: (id) => (id === "k1" ? key : undefined) },
  fetch: (request, next) => next(request),
  notify: () => {},
  audit: () => {},
  receipts: () => {},
  messages: (_, { english }) => english.toUpperCase(),
};

describe("testPlugin", () => {
  it("finds nothing about a good plugin and tries every hook", async () => {
    const { ok, hooks } = await testPlugin(good);
    expect(hooks.filter((hook) => !hook.ok)).toEqual([]);
    expect(ok).toBe(true);
    expect(hooks).toHaveLength(15);
  });

  let calls = 0;
  const bad: [title: string, hooks: Omit<Plugin, "name">, hook: string, problem: RegExp][] = [
    [
      "a source that throws at nothing",
      { source: { name: "s", read: (event) => canonicalEvent({ name: (event as { a: { b: string } }).a.b }) } },
      "source",
      /threw \(TypeError\)|threw\. \(TypeError\)/,
    ],
    [
      "a source that changes the host's event",
      {
        source: {
          name: "s",
          read: (event) =>
            typeof event === "object" && event !== null
              ? canonicalEvent({ id: String(delete (event as { type?: string }).type) })
              : canonicalEvent(),
        },
      },
      "source",
      /threw/,
    ],
    [
      "a source with a clock",
      { source: { name: "s", read: () => canonicalEvent({ id: `${calls++}` }) } },
      "source",
      /in two ways/,
    ],
    [
      "a source without a kind",
      { source: { name: "s", read: () => ({ name: "x" }) as never } },
      "source",
      /wrong shape/,
    ],
    ["an enrich that answers one for all", { enrich: () => [undefined] }, "enrich", /wrong shape/],
    ["a consent that says maybe", { consent: () => "maybe" as never }, "consent", /wrong shape/],
    [
      "a beforeSend that renames",
      { beforeSend: (event) => ({ ...event, event_name: "CUSTOM_EVENT_1" }) },
      "beforeSend",
      /changes event_name/,
    ],
    [
      "a beforeSend that needs what may be missing",
      { beforeSend: (event) => ({ ...event, integration: String((event.custom_data as { value: number }).value) }) },
      "beforeSend",
      /threw/,
    ],
    [
      "a function that throws",
      { functions: { f: (value) => (value as string).trim() } },
      "functions",
      /f threw \(TypeError\)/,
    ],
    [
      "a function with a clock",
      { functions: { now: () => calls++ } },
      "functions",
      /now answers the same question in two ways/,
    ],
    ["a function that waits", { functions: { f: async () => 1 } }, "functions", /promise/],
    [
      "a segment without members",
      { segments: { list: () => [{ key: "vip" }], members: () => undefined } },
      "segments",
      /does not know/,
    ],
    [
      "a key that does not open",
      { keys: { sealingKey: () => ({ id: "k1", key }), openingKey: () => undefined } },
      "keys",
      /does not open/,
    ],
    [
      "a fetch that sends twice",
      { fetch: (request, next) => next(request.clone()).then(() => next(request)) },
      "fetch",
      /2 times/,
    ],
    ["a notify that throws", { notify: () => Promise.reject(new Error("down")) }, "notify", /threw/],
  ];
  it.each(bad)("finds %s", async (_, hooks, hook, problem) => {
    const { ok, hooks: found } = await testPlugin({ name: "bad", ...hooks });
    expect(ok).toBe(false);
    expect(found.find((one) => one.hook === hook)?.problems.join(" ")).toMatch(problem);
  });

  const busy = (ms: number) => {
    for (const until = performance.now() + ms; performance.now() < until; );
  };
  it("forgives a hook that was late once: the machine may have been busy", async () => {
    let first = true;
    const catalogue = () => {
      if (first) busy(5);
      first = false;
      return ["Thing"];
    };
    const { ok } = await testPlugin({ name: "late", timeLimitsMs: { catalogue: 4 }, catalogue });
    expect(ok).toBe(true);
  });

  it("finds a hook that is late every time", async () => {
    const catalogue = () => {
      busy(5);
      return ["Thing"];
    };
    const { ok, hooks } = await testPlugin({ name: "slow", timeLimitsMs: { catalogue: 4 }, catalogue });
    expect(ok).toBe(false);
    expect(hooks).toEqual([{ hook: "catalogue", ok: false, problems: ["It took longer than its time."] }]);
  });

  it("refuses what is no plugin", async () => {
    await expect(testPlugin({ name: "idle" })).rejects.toMatchObject({ code: "plugin_invalid" });
  });
});
