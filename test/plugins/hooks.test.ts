import { describe, expect, it } from "vitest";
import {
  createPlugins,
  definePlugin,
  HOOKS,
  type HookName,
  NO_PLUGINS,
  type PluginFailure,
} from "../../src/plugins/index.ts";
import { createFakeClock } from "../../src/testing/clock.ts";
import { canonicalEvent, SCOPE, snapEvent } from "./events.ts";

describe("no plugins", () => {
  it("leave every hook away, so that nothing is called", () => {
    const plugins = createPlugins([]);
    expect(plugins).toBe(NO_PLUGINS);
    const present = Object.entries(plugins).filter(([key, value]) => !["names", "sources"].includes(key) && value);
    expect(present).toEqual([]);
  });

  it("of a kind leave that hook away", () => {
    const plugins = createPlugins([{ name: "names", catalogue: () => ["Purchased"] }]);
    const hooks = Object.keys(HOOKS).filter((hook) => hook in plugins && plugins[hook as "enrich"] !== undefined);
    expect(hooks).toEqual(["catalogue"]);
    expect(plugins.library).toBeUndefined();
  });
});

describe("a definition", () => {
  const problems: [title: string, plugin: unknown, words: RegExp][] = [
    ["that is nothing", undefined, /not an object/],
    ["without a name", { enrich: () => [] }, /name has to be/],
    ["with a name for people", { name: "My Plugin", enrich: () => [] }, /name has to be/],
    ["without hooks", { name: "idle" }, /no hooks/],
    ["with a misspelt hook", { name: "typo", enrichh: () => [] }, /enrichh is no hook/],
    ["with a hook that is no function", { name: "wrong", enrich: [] }, /enrich has the wrong shape/],
    ["with half a segments hook", { name: "half", segments: { list: () => [] } }, /segments has the wrong shape/],
    ["with a source without a name", { name: "nameless", source: { read: () => ({}) } }, /source has the wrong shape/],
    ["with a function that is none", { name: "table", functions: { f: 1 } }, /functions has the wrong shape/],
    [
      "with a limit of nothing",
      { name: "limit", timeLimitsMs: { enrich: 0 }, enrich: () => [] },
      /time limit of enrich/,
    ],
  ];
  it.each(problems)("%s is refused", (_, plugin, words) => {
    expect(() => definePlugin(plugin as never)).toThrow(words);
    expect(() => createPlugins([plugin as never])).toThrow(expect.objectContaining({ code: "plugin_invalid" }));
  });

  it("that holds comes back as it is", () => {
    const plugin = { name: "fine", catalogue: () => [] };
    expect(definePlugin(plugin)).toBe(plugin);
  });

  it("may not take another's name, source, function, operator or the keys", () => {
    const source = { name: "ours", read: () => canonicalEvent() };
    const keys = { sealingKey: () => ({ id: "k", key: new Uint8Array(32) }), openingKey: () => undefined };
    const pairs = [
      [
        { name: "a", catalogue: () => [] },
        { name: "a", catalogue: () => [] },
      ],
      [
        { name: "a", source },
        { name: "b", source },
      ],
      [
        { name: "a", functions: { f: () => 1 } },
        { name: "b", functions: { f: () => 2 } },
      ],
      [
        { name: "a", operators: { o: () => true } },
        { name: "b", operators: { o: () => true } },
      ],
      [
        { name: "a", keys },
        { name: "b", keys },
      ],
    ];
    for (const pair of pairs) {
      expect(() => createPlugins(pair)).toThrow(expect.objectContaining({ code: "plugin_conflict" }));
    }
    expect(() =>
      createPlugins([{ name: "a", functions: { join: () => 1 } }], { reserved: { functions: ["join"] } }),
    ).toThrow(/The function join of the plugin a exists already/);
  });
});

describe("enrich", () => {
  it("adds, in order, each plugin seeing what the one before added, and says who changed what", async () => {
    const { enrich } = createPlugins([
      {
        name: "crm",
        enrich: (events) => events.map(() => ({ traits: { phone: "+447911123456" }, consent: { ads: true } })),
      },
      {
        name: "clicks",
        enrich: (events) =>
          events.map((event) => ({ context: { clickId: `for ${event.traits.phone}` }, properties: { value: null } })),
      },
    ]);
    const { events, changes } = (await enrich?.([canonicalEvent()], SCOPE)) ?? {};
    expect(events?.[0]).toMatchObject({
      traits: { email: "person@example.com", phone: "+447911123456" },
      context: { ip: "203.0.113.24", clickId: "for +447911123456" },
      consent: { ads: true },
      properties: { currency: "GBP" },
    });
    expect(events?.[0]?.properties).not.toHaveProperty("value");
    expect(changes).toEqual([
      [
        { plugin: "crm", hook: "enrich", paths: ["traits.phone", "consent.ads"] },
        { plugin: "clicks", hook: "enrich", paths: ["properties.value", "context.clickId"] },
      ],
    ]);
  });

  it("cannot change what makes a repetition a repetition", async () => {
    const given = canonicalEvent();
    const { enrich } = createPlugins([
      { name: "rename", enrich: () => [{ name: "Other", id: "new", timeMs: 1, kind: "page", source: "x" } as never] },
    ]);
    const { events, changes } = (await enrich?.([given], SCOPE)) ?? {};
    expect(events).toEqual([given]);
    expect(changes).toEqual([undefined]);
  });

  it("is told which tenant the events are of", async () => {
    const seen: unknown[] = [];
    const { enrich } = createPlugins([
      { name: "who", enrich: (_, { tenantId, destinationId }) => void seen.push(tenantId, destinationId) },
    ]);
    await enrich?.([canonicalEvent()], SCOPE);
    expect(seen).toEqual(["acme", "shop"]);
  });
});

describe("beforeSend", () => {
  it("is synchronous where its plugins are, and asynchronous where one is not", async () => {
    const quick = createPlugins([{ name: "quick", beforeSend: (event) => event }]);
    expect(quick.beforeSend?.(snapEvent(), SCOPE)).toMatchObject({ status: "send", changes: [] });
    const slow = createPlugins([
      { name: "slow", beforeSend: async (event) => ({ ...event, custom_data: { ...event.custom_data, value: 1 } }) },
      { name: "quick", beforeSend: (event) => ({ ...event, integration: `was ${event.custom_data?.value}` }) },
    ]);
    await expect(slow.beforeSend?.(snapEvent(), SCOPE)).resolves.toMatchObject({
      status: "send",
      event: { custom_data: { value: 1, currency: "GBP" }, integration: "was 1" },
      changes: [
        { plugin: "slow", hook: "beforeSend", paths: ["custom_data.value"] },
        { plugin: "quick", hook: "beforeSend", paths: ["integration"] },
      ],
    });
  });

  it("drops with a reason that receipts can carry, and asks nobody after that", () => {
    let asked = false;
    const { beforeSend } = createPlugins([
      { name: "staff", beforeSend: () => ({ drop: "Staff (own)!" }) },
      {
        name: "next",
        beforeSend: () => {
          asked = true;
          return undefined;
        },
      },
    ]);
    expect(beforeSend?.(snapEvent(), SCOPE)).toEqual({
      status: "dropped",
      plugin: "staff",
      reason: "staff_own",
      changes: [],
    });
    expect(asked).toBe(false);
  });

  it("keeps id, name and time, and says that it did", () => {
    const given = snapEvent();
    const { beforeSend } = createPlugins([
      {
        name: "meddler",
        beforeSend: (event) => ({
          ...event,
          event_name: "ADD_CART",
          event_id: "mine",
          event_time: 1,
          integration: "x",
        }),
      },
    ]);
    const outcome = beforeSend?.(given, SCOPE);
    expect(outcome).toMatchObject({ status: "send", event: { ...given, integration: "x" } });
    expect(outcome).toMatchObject({
      issues: ["event_name", "event_id", "event_time"].map((path) => ({ path, code: "plugin_change_refused" })),
      changes: [{ plugin: "meddler", paths: ["integration"] }],
    });
  });

  it("loses nothing of a large order", () => {
    const contents = Array.from({ length: 5_000 }, (_, n) => ({ id: `sku-${n}` }));
    const { beforeSend } = createPlugins([{ name: "same", beforeSend: (event) => event }]);
    const outcome = beforeSend?.(snapEvent({ custom_data: { contents } }), SCOPE);
    expect(outcome).toMatchObject({ event: { custom_data: { contents } }, changes: [] });
  });
});

describe("who a person is", () => {
  it("is what all plugins know together; the first key counts", async () => {
    const asked: unknown[] = [];
    const { resolveIdentity } = createPlugins([
      {
        name: "crm",
        resolveIdentity: () => ({ personKey: "p-1", identifiers: { em: "a@example.com", madid: "one" } }),
      },
      { name: "none", resolveIdentity: () => undefined },
      {
        name: "loyalty",
        resolveIdentity: (person, { purpose }) => {
          asked.push(person, purpose);
          return {
            personKey: "p-2",
            identifiers: { em: ["a@example.com", "b@example.com"], ph: "+447911123456", madid: "two" },
          };
        },
      },
    ]);
    const answer = await resolveIdentity?.(
      { userId: "u-1", identifiers: { em: "given@example.com" } },
      "forget",
      SCOPE,
    );
    expect(answer).toEqual({
      person: {
        personKey: "p-1",
        identifiers: { em: ["a@example.com", "b@example.com"], ph: "+447911123456", madid: "one" },
      },
      by: ["crm", "loyalty"],
    });
    expect(asked).toEqual([
      { userId: "u-1", personKey: "p-1", identifiers: { em: ["given@example.com", "a@example.com"], madid: "one" } },
      "forget",
    ]);
  });
});

describe("consent", () => {
  const answers = (...list: (boolean | undefined)[]) =>
    createPlugins(list.map((answer, index) => ({ name: `p${index}`, consent: () => answer })));

  it("needs no yes and takes any no", async () => {
    const subject = { identifiers: {} };
    await expect(answers(undefined).consent?.(subject, "events", SCOPE)).resolves.toEqual({ allowed: true });
    await expect(answers(true, undefined).consent?.(subject, "events", SCOPE)).resolves.toEqual({ allowed: true });
    await expect(answers(true, false, true).consent?.(subject, "audiences", SCOPE)).resolves.toEqual({
      allowed: false,
      by: "p1",
    });
  });
});

describe("functions and operators", () => {
  it("work by name, belong to somebody, and get copies", () => {
    const { library } = createPlugins([
      {
        name: "money",
        functions: { net: (value) => Number(value) / 1.2, spoil: (list) => (list as unknown[]).push(1) },
      },
      { name: "words", operators: { vowels: (found) => /^[aeiou]+$/.test(String(found)) } },
    ]);
    expect(library?.functions.net?.(12)).toBe(10);
    expect(library?.operators.vowels?.("aei", undefined)).toBe(true);
    expect(library?.owner).toEqual({ net: "money", spoil: "money", vowels: "words" });
    const list = [0];
    library?.functions.spoil?.(list);
    expect(list).toEqual([0]);
  });

  it("that keep failing are switched off", () => {
    let calls = 0;
    const { library } = createPlugins([
      {
        name: "broken",
        functions: {
          f: () => {
            calls++;
            throw new Error("no");
          },
        },
      },
    ]);
    for (let n = 0; n < 50; n++) expect(library?.functions.f?.(1)).toBeUndefined();
    expect(calls).toBe(10);
  });
});

describe("segments", () => {
  const rows = async <T>(list: AsyncIterable<T> | undefined) => {
    const all: T[] = [];
    for await (const row of list ?? []) all.push(row);
    return all;
  };

  it("are listed once, whatever kind of list a plugin has, and members come from the plugin that knows the key", async () => {
    const { segments } = createPlugins([
      {
        name: "lists",
        segments: {
          list: () => [{ key: "vip", name: "VIP" }],
          members: (key) => (key === "vip" ? [{ email: "a@example.com" }] : undefined),
        },
      },
      {
        name: "streams",
        segments: {
          async *list() {
            yield { key: "vip", name: "Other" };
            yield { key: "all", size: 2 };
          },
          async *members() {
            yield { phone: ["+447911123456"], personKey: "p-1" };
          },
        },
      },
    ]);
    expect(await rows(segments?.list(SCOPE))).toEqual([
      { key: "vip", name: "VIP" },
      { key: "all", size: 2 },
    ]);
    expect(await rows(await segments?.members("vip", SCOPE))).toEqual([{ email: "a@example.com" }]);
    expect(await rows(await segments?.members("all", SCOPE))).toEqual([{ phone: ["+447911123456"], personKey: "p-1" }]);
  });

  it("that nobody knows are no list", async () => {
    const { segments } = createPlugins([{ name: "none", segments: { list: () => [], members: () => undefined } }]);
    await expect(segments?.members("x", SCOPE)).resolves.toBeUndefined();
  });

  it("close the plugin's iterator when the reader leaves early", async () => {
    let closed = false;
    const { segments } = createPlugins([
      {
        name: "endless",
        segments: {
          list: () => [],
          async *members() {
            try {
              for (let n = 0; ; n++) yield { email: `${n}@example.com` };
            } finally {
              closed = true;
            }
          },
        },
      },
    ]);
    for await (const member of (await segments?.members("x", SCOPE)) ?? []) if (member.email === "2@example.com") break;
    expect(closed).toBe(true);
  });

  it("leave out rows that are no members and report them", async () => {
    const failures: PluginFailure[] = [];
    const { segments } = createPlugins(
      [
        {
          name: "odd",
          segments: { list: () => [], members: () => [{ email: 1 }, "x", { email: "a@example.com" }] as never },
        },
      ],
      { onFailure: (failure) => failures.push(failure) },
    );
    expect(await rows(await segments?.members("x", SCOPE))).toEqual([{ email: "a@example.com" }]);
    expect(failures.map(({ code }) => code)).toEqual(["garbage", "garbage"]);
  });
});

describe("catalogue, keys, fetch, notify, messages", () => {
  it("joins the plugins' event names", async () => {
    const { catalogue } = createPlugins([
      { name: "a", catalogue: () => ["Purchased", " "] },
      { name: "b", catalogue: async () => [{ name: "Purchased" }, { name: "Tasted", label: "Tasting" }] },
    ]);
    await expect(catalogue?.(SCOPE)).resolves.toEqual([
      { name: "Purchased", plugin: "a" },
      { name: "Tasted", label: "Tasting", plugin: "b" },
    ]);
  });

  it("passes keys on", async () => {
    const key = new Uint8Array(32).fill(7);
    const { keys } = createPlugins([
      {
        name: "kms",
        keys: { sealingKey: () => ({ id: "k1", key }), openingKey: async (id) => (id === "k1" ? key : undefined) },
      },
    ]);
    await expect(keys?.sealingKey("acme")).resolves.toEqual({ id: "k1", key });
    await expect(keys?.openingKey("gone", "acme")).resolves.toBeUndefined();
  });

  it("puts fetch hooks around each other, the first outside", async () => {
    const order: string[] = [];
    const around = (name: string) => ({
      name,
      fetch: async (request: Request, next: (request: Request) => Promise<Response>) => {
        order.push(name);
        return next(request);
      },
    });
    const { fetch } = createPlugins([around("outer"), around("inner")]);
    const response = await fetch?.(async () => new Response("ok"))(new Request("https://tr.snapchat.com/"));
    expect([order, await response?.text()]).toEqual([["outer", "inner"], "ok"]);
  });

  it("tells everybody, and again only those who did not hear", async () => {
    let deaf = true;
    const heard: string[] = [];
    const { notify } = createPlugins([
      { name: "mail", notify: ({ id }) => void heard.push(`mail ${id}`) },
      {
        name: "chat",
        notify: ({ id }) => {
          if (deaf) throw new Error("busy");
          heard.push(`chat ${id}`);
        },
      },
    ]);
    const notification = { id: "n-1", type: "paused", tenantId: "acme", details: {} };
    const first = await notify?.(notification);
    expect(first).toEqual({ told: ["mail"], failed: ["chat"] });
    deaf = false;
    await expect(notify?.(notification, first?.failed)).resolves.toEqual({ told: ["chat"], failed: [] });
    expect(heard).toEqual(["mail n-1", "chat n-1"]);
  });

  it("says a code in the first plugin's words, else in English", () => {
    const { messages } = createPlugins([
      { name: "none", messages: () => undefined },
      { name: "german", messages: (code, { english }) => (code === "paused" ? `Angehalten (${english})` : undefined) },
    ]);
    expect(messages?.("paused", "Paused")).toBe("Angehalten (Paused)");
    expect(messages?.("other", "Other")).toBe("Other");
  });
});

describe("sources", () => {
  it("are found by their names, several a plugin", () => {
    const one = { name: "one", read: () => canonicalEvent({ name: "First" }) };
    const two = { name: "two", read: () => canonicalEvent({ name: "Second" }) };
    const { sources } = createPlugins([{ name: "both", source: [one, two] }]);
    expect([sources.one?.read({}).name, sources.two?.read({}).name]).toEqual(["First", "Second"]);
    expect(sources.one?.read({}).source).toBe("one");
  });
});

describe("sinks", () => {
  it("take lines in portions, in order", async () => {
    const taken: number[][] = [];
    const { receipts } = createPlugins([
      { name: "log", receipts: (lines) => void taken.push(lines.map(({ n }) => n as number)) },
    ]);
    for (let n = 0; n < 1_200; n++) receipts?.push({ n });
    await receipts?.flush();
    expect(taken.map((portion) => portion.length)).toEqual([500, 500, 200]);
    expect(taken.flat()).toEqual(Array.from({ length: 1_200 }, (_, n) => n));
    expect(receipts?.stats()).toEqual({ log: { waiting: 0, taken: 1_200, dropped: 0 } });
  });

  it("try again later, longer each time, and lose nothing meanwhile", async () => {
    const clock = createFakeClock();
    let down = true;
    let calls = 0;
    const taken: unknown[] = [];
    const { audit } = createPlugins(
      [
        {
          name: "log",
          audit: (lines) => {
            calls++;
            if (down) throw new Error("down");
            taken.push(...lines);
          },
        },
      ],
      { clock },
    );
    audit?.push({ n: 1 });
    await clock.advance(7_500);
    expect(calls).toBe(4);
    audit?.push({ n: 2 });
    down = false;
    await clock.advance(10_000);
    expect(taken).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it("count what does not fit, the oldest first, and one that hangs holds nobody up", async () => {
    const clock = createFakeClock();
    const taken: number[] = [];
    const { receipts } = createPlugins(
      [
        { name: "hangs", receipts: () => new Promise(() => {}) },
        { name: "works", receipts: (lines) => void taken.push(...lines.map(({ n }) => n as number)) },
      ],
      { clock },
    );
    for (let n = 0; n < 9_000; n++) receipts?.push({ n });
    await clock.advance(0);
    expect(taken).toHaveLength(9_000);
    for (let n = 9_000; n < 12_000; n++) receipts?.push({ n });
    await clock.advance(0);
    expect(taken).toHaveLength(12_000);
    expect(receipts?.stats()).toEqual({
      hangs: { waiting: 10_000, taken: 0, dropped: 2_000 },
      works: { waiting: 0, taken: 12_000, dropped: 0 },
    });
    receipts?.close();
  });
});

const named: HookName[] = Object.keys(HOOKS) as HookName[];
it("every hook has its promise", () => {
  for (const hook of named)
    expect(HOOKS[hook]).toMatchObject({ limitMs: expect.any(Number), failure: expect.any(String) });
});
