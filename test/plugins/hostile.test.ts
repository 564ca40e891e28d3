import { describe, expect, it } from "vitest";
import {
  createPlugins,
  HOOKS,
  type HookName,
  type Plugin,
  type PluginFailure,
  type Plugins,
} from "../../src/plugins/index.ts";
import { createFakeClock, type FakeClock } from "../../src/testing/clock.ts";
import { canonicalEvent, frozenCopy, SCOPE, snapEvent } from "./events.ts";

/** What a plugin may answer instead of what was asked. */
const GARBAGE: readonly unknown[] = [
  42,
  "text",
  true,
  Symbol("garbage"),
  [1, 2, 3],
  { nothing: "useful" },
  // biome-ignore lint/suspicious/noThenProperty: a thing that looks like a promise is what is tested.
  Object.create(null, { then: { value: 1 } }),
  new Proxy(
    {},
    {
      get() {
        throw new Error("proxy");
      },
      ownKeys() {
        throw new Error("proxy");
      },
    },
  ),
];

type Behaviour = (...args: unknown[]) => unknown;

/** A plugin whose every hook behaves the same way. */
function plugin(name: string, behave: Behaviour): Plugin {
  const hook = behave as never;
  return {
    name,
    source: { name: `${name}_source`, read: hook },
    enrich: hook,
    resolveIdentity: hook,
    consent: hook,
    beforeSend: hook,
    functions: { [`${name}_function`]: hook },
    operators: { [`${name}_operator`]: hook },
    segments: { list: hook, members: hook },
    catalogue: hook,
    keys: { sealingKey: hook, openingKey: hook },
    fetch: hook,
    notify: hook,
    audit: hook,
    receipts: hook,
    messages: hook,
  };
}

const NOTIFICATION = { id: "n-1", type: "paused", tenantId: "acme", details: {} };

/** Calls every hook once, as its callers do, and answers what each came to. */
async function all(plugins: Plugins, clock: FakeClock, name: string): Promise<Record<string, unknown>> {
  const event = canonicalEvent();
  const mapped = snapEvent();
  const settle = async (task: () => unknown) => {
    try {
      return { value: await clock.run(Promise.resolve(task())) };
    } catch (error) {
      const { code, kind } = error as { code?: string; kind?: string };
      return code === undefined ? { threw: (error as Error).constructor.name } : { code, kind };
    }
  };
  const members = async () => {
    for await (const _ of (await plugins.segments?.members("vip", SCOPE)) ?? []);
  };
  const list = async () => {
    for await (const _ of plugins.segments?.list(SCOPE) ?? []);
  };
  plugins.audit?.push({ n: 1 });
  const outcome = {
    source: await settle(() => plugins.sources[`${name}_source`]?.read({ any: "thing" })),
    enrich: await settle(() => plugins.enrich?.([event], SCOPE)),
    resolveIdentity: await settle(() => plugins.resolveIdentity?.({ userId: "u-1" }, "ingest", SCOPE)),
    consent: await settle(() => plugins.consent?.({ identifiers: {} }, "events", SCOPE)),
    beforeSend: await settle(() => plugins.beforeSend?.(mapped, SCOPE)),
    functions: await settle(() => plugins.library?.functions[`${name}_function`]?.([1])),
    operators: await settle(() => plugins.library?.operators[`${name}_operator`]?.("a", "b")),
    list: await settle(list),
    members: await settle(members),
    catalogue: await settle(() => plugins.catalogue?.(SCOPE)),
    sealingKey: await settle(() => plugins.keys?.sealingKey("acme")),
    openingKey: await settle(() => plugins.keys?.openingKey("k", "acme")),
    notify: await settle(() => plugins.notify?.(NOTIFICATION)),
    audit: await settle(async () => {
      await plugins.audit?.flush();
      return plugins.audit?.stats()[name];
    }),
    messages: await settle(() => plugins.messages?.("paused", "Paused")),
  };
  plugins.audit?.close();
  expect(event).toEqual(canonicalEvent());
  expect(mapped).toEqual(snapEvent());
  return outcome;
}

/** What each hook comes to when its plugin fails, whatever the way. */
function whenFailed(name: string): Record<string, unknown> {
  const retry = (code: string) => ({ code, kind: "retry" });
  const empty = {
    source: `${name}_source`,
    name: "",
    kind: "other",
    issues: [{ code: "source_failed", severity: "error" }],
    traits: {},
  };
  return {
    source: { value: empty },
    enrich: { value: { events: [{ ...canonicalEvent(), issues: [{ code: "plugin_failed" }] }], changes: [undefined] } },
    resolveIdentity: retry("plugin_failed"),
    consent: retry("plugin_failed"),
    beforeSend: { value: { status: "rejected", plugin: name, reason: "plugin_failed" } },
    functions: { value: undefined },
    operators: { value: false },
    list: retry("plugin_failed"),
    members: retry("plugin_failed"),
    catalogue: { value: [] },
    sealingKey: retry("keys_unavailable"),
    openingKey: retry("keys_unavailable"),
    notify: { value: { told: [], failed: [name] } },
    audit: { value: { waiting: 1, taken: 0, dropped: 0 } },
    messages: { value: "Paused" },
  };
}

function build(name: string, behave: Behaviour) {
  const clock = createFakeClock();
  const failures: PluginFailure[] = [];
  const plugins = createPlugins([plugin(name, behave)], { clock, onFailure: (failure) => failures.push(failure) });
  return { clock, failures, plugins };
}

describe("a plugin that throws", () => {
  const secrets = new Error("person@example.com has no account, token eyJhbGciOi");

  it.each([
    ["an error", () => Promise.reject(secrets)],
    [
      "at once",
      () => {
        throw secrets;
      },
    ],
    [
      "something that is no error",
      () => {
        throw { toString: () => "x", constructor: null };
      },
    ],
  ])("%s fails as each hook says, and its words are not repeated", async (_, behave) => {
    const { plugins, clock, failures } = build("thrower", behave);
    expect(await all(plugins, clock, "thrower")).toMatchObject(whenFailed("thrower"));
    const hooks = new Set(failures.map(({ hook }) => hook));
    // `receipts` shares its code with `audit`; `fetch` is judged by the HTTP client.
    expect(Object.keys(HOOKS).filter((hook) => !hooks.has(hook as HookName))).toEqual(["fetch", "receipts"]);
    expect(JSON.stringify(failures)).not.toMatch(/person@|eyJ/);
  });
});

describe("a plugin that never answers", () => {
  it("is given up after each hook's time, and hears that it was", async () => {
    const aborted: boolean[] = [];
    const { plugins, clock, failures } = build("sleeper", (...args) => {
      const context = args.find(
        (arg): arg is { signal: AbortSignal } => typeof arg === "object" && arg !== null && "signal" in arg,
      );
      context?.signal.addEventListener("abort", () => aborted.push(true));
      return new Promise(() => {});
    });
    expect(await all(plugins, clock, "sleeper")).toMatchObject(whenFailed("sleeper"));
    const timedOut = failures.filter(({ code }) => code === "timed_out").map(({ hook }) => hook);
    expect(timedOut).toEqual(
      expect.arrayContaining(["enrich", "resolveIdentity", "consent", "beforeSend", "segments", "keys"]),
    );
    expect(aborted.length).toBeGreaterThan(4);
    expect(clock.sleeping).toBe(0);
  });

  it("within its own time limit, where it has one", async () => {
    const clock = createFakeClock();
    const { consent } = createPlugins(
      [{ name: "slow", timeLimitsMs: { consent: 50 }, consent: () => new Promise(() => {}) }],
      { clock },
    );
    const answer = consent?.({ identifiers: {} }, "events", SCOPE).catch((error: { code: string }) => error.code);
    await clock.advance(49);
    let settled = false;
    void answer?.then(() => {
      settled = true;
    });
    await clock.advance(0.5);
    expect(settled).toBe(false);
    await clock.advance(1);
    await expect(answer).resolves.toBe("plugin_failed");
  });

  it("answering too late is not heard", async () => {
    const clock = createFakeClock();
    const { enrich } = createPlugins(
      [
        {
          name: "late",
          enrich: (events) => clock.sleep(5_000).then(() => events.map(() => ({ traits: { late: true } }))),
        },
      ],
      { clock },
    );
    const { events } = (await clock.run(enrich?.([canonicalEvent()], SCOPE) as Promise<{ events: unknown[] }>)) ?? {};
    await clock.advance(10_000);
    expect(JSON.stringify(events)).not.toContain('late":true');
  });
});

describe("a plugin that answers garbage", () => {
  it.each(GARBAGE.map((garbage, index) => [index, garbage] as const))(
    "number %i fails or is left out",
    async (_, garbage) => {
      for (const behave of [() => garbage, () => Promise.resolve({ value: garbage }).then((box) => box.value)]) {
        const { plugins, clock } = build("garbler", behave as Behaviour);
        const outcome = await all(plugins, clock, "garbler");
        const failed = whenFailed("garbler");
        for (const hook of ["source", "resolveIdentity", "consent", "beforeSend", "sealingKey", "openingKey"]) {
          // `true` is a yes, and an object without a word about the person is no knowledge.
          if (hook === "consent" && garbage === true) continue;
          if (hook === "resolveIdentity" && JSON.stringify(outcome[hook])?.includes('"person":{}')) continue;
          expect([hook, outcome[hook]]).toMatchObject([hook, failed[hook]]);
        }
        for (const hook of ["functions", "operators", "catalogue", "messages"]) {
          expect(Object.keys(outcome[hook] as object)).toEqual(["value"]);
        }
        const { value } = outcome.enrich as { value: { events: { traits: unknown }[] } };
        expect(value.events).toHaveLength(1);
        expect(value.events[0]?.traits).toEqual(canonicalEvent().traits);
      }
    },
  );

  it("with a dangerous key changes no prototype", async () => {
    const evil = JSON.parse(
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"event_name":"PURCHASE"}',
    );
    const plugins = createPlugins([
      {
        name: "evil",
        enrich: (events) => events.map(() => ({ traits: evil, properties: { deep: evil } })),
        beforeSend: () => evil,
      },
    ]);
    const { events } = (await plugins.enrich?.([canonicalEvent()], SCOPE)) ?? {};
    plugins.beforeSend?.(snapEvent(), SCOPE);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(events?.[0]?.traits.polluted).toBeUndefined();
    expect(Object.keys(events?.[0]?.traits ?? {})).toEqual(["email", "event_name"]);
  });

  it("without an end is not kept", async () => {
    const endless: Record<string, unknown> = {};
    endless.self = endless;
    const plugins = createPlugins([
      {
        name: "endless",
        enrich: (events) => events.map(() => ({ traits: endless })),
        beforeSend: () => ({ event_name: "X", custom_data: endless }),
      },
    ]);
    const { events } = (await plugins.enrich?.([canonicalEvent()], SCOPE)) ?? {};
    expect(events?.[0]?.issues).toMatchObject([{ code: "plugin_failed" }]);
    expect(plugins.beforeSend?.(snapEvent(), SCOPE)).toMatchObject({ status: "rejected", plugin: "endless" });
  });
});

describe("a plugin that changes what it was given", () => {
  it("changes its own copy only", async () => {
    const spoil = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      for (const key of Object.keys(value)) {
        spoil((value as Record<string, unknown>)[key]);
        try {
          delete (value as Record<string, unknown>)[key];
        } catch {
          // Frozen is as good as copied.
        }
      }
    };
    const events = [canonicalEvent(), canonicalEvent({ id: "order-2" })];
    const before = frozenCopy(events);
    const person = { userId: "u-1", identifiers: { em: ["a@example.com"] } };
    const mapped = snapEvent();
    const plugins = createPlugins([
      {
        name: "spoiler",
        enrich: (all) => void spoil(all),
        resolveIdentity: (one) => void spoil(one),
        consent: (subject) => void spoil(subject),
        beforeSend: (event) => void spoil(event),
        operators: {
          spoils: (found) => {
            spoil(found);
            return true;
          },
        },
      },
    ]);
    const enriched = await plugins.enrich?.(events, SCOPE);
    await plugins.resolveIdentity?.(person, "ingest", SCOPE);
    await plugins.consent?.(person, "events", SCOPE);
    const outcome = plugins.beforeSend?.(mapped, SCOPE);
    plugins.library?.operators.spoils?.(events[0], undefined);
    expect(events).toEqual(before);
    expect(enriched?.events).toEqual(before);
    expect(person).toEqual({ userId: "u-1", identifiers: { em: ["a@example.com"] } });
    expect(mapped).toEqual(snapEvent());
    expect(outcome).toMatchObject({ status: "send", event: snapEvent() });
  });
});

describe("a segment that breaks off", () => {
  it("fails with kind retry in the middle, and no row before is lost", async () => {
    const { segments } = createPlugins([
      {
        name: "breaks",
        segments: {
          list: () => [],
          async *members() {
            yield { email: "a@example.com" };
            yield { email: "b@example.com" };
            throw new Error("database gone");
          },
        },
      },
    ]);
    const seen: unknown[] = [];
    const read = async () => {
      for await (const member of (await segments?.members("vip", SCOPE)) ?? []) seen.push(member.email);
    };
    await expect(read()).rejects.toMatchObject({ code: "plugin_failed", kind: "retry", details: { plugin: "breaks" } });
    expect(seen).toEqual(["a@example.com", "b@example.com"]);
  });

  it("that hangs at a row is given up and closed", async () => {
    const clock = createFakeClock();
    let closed = false;
    const { segments } = createPlugins(
      [
        {
          name: "hangs",
          segments: {
            list: () => [],
            members: () => ({
              [Symbol.asyncIterator]: () => ({
                next: () => new Promise<never>(() => {}),
                return: async () => {
                  closed = true;
                  return { done: true as const, value: undefined };
                },
              }),
            }),
          },
        },
      ],
      { clock },
    );
    const read = async () => {
      for await (const _ of (await segments?.members("vip", SCOPE)) ?? []);
    };
    await expect(clock.run(read())).rejects.toMatchObject({ code: "plugin_failed" });
    expect(closed).toBe(true);
  });
});

describe("fetch hooks", () => {
  it("that answer no response are a fault of the network, without their words", async () => {
    const { fetch } = createPlugins([{ name: "odd", fetch: async () => ({ status: 200, token: "secret" }) as never }]);
    await expect(fetch?.(globalThis.fetch)(new Request("https://tr.snapchat.com/"))).rejects.toThrow(TypeError);
  });
});
