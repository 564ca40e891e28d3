import { createPlugins, HOOKS, type HookName, type Plugin, type Plugins } from "../plugins/index.ts";
import { bareSnapEvent, ODD_EVENTS, ODD_VALUES, sampleEvent, sampleSnapEvent } from "./plugin-samples.ts";

/** What was found about one hook. */
export interface HookTest {
  hook: HookName;
  ok: boolean;
  /** What is wrong, in words. Never what the plugin said. */
  problems: readonly string[];
}

/** What a trial of a plugin found. */
export interface PluginTest {
  name: string;
  /** Whether every hook kept its promise. */
  ok: boolean;
  hooks: readonly HookTest[];
}

/** What a plugin is tried with. */
export interface PluginTestOptions {
  /** Envelopes for `source`, beside the odd ones that are always tried. */
  events?: readonly unknown[];
  /** Values for `functions` and `operators`, beside the odd ones. */
  values?: readonly unknown[];
  /** The tenant the hooks are told. Default `"test"`. */
  tenantId?: string;
  /** Rows of segments that are read at most. Default 1,000. */
  maxRows?: number;
}

type Trial = (
  plugins: Plugins,
  plugin: Plugin,
  options: Required<PluginTestOptions>,
  say: (problem: string) => void,
) => unknown;

/**
 * Tries every hook of a plugin with ordinary and odd input, under the time limits of production: whether it answers in
 * its shape, in its time, the same twice where it must be pure, and without an exception where it must be total.
 *
 * The hooks really run: a `notify` sends, an `audit` writes. Point the plugin at something made for tests. One that was
 * late runs up to three times, since a busy machine may have had no time for it; late every time is slow.
 *
 * @throws {SnapchatError} `plugin_invalid` or `plugin_conflict` (fix_configuration) where it is no plugin at all
 * @example
 * ```ts
 * import { definePlugin } from "snapchat-destination";
 * import { testPlugin } from "snapchat-destination/testing";
 *
 * const plugin = definePlugin({ name: "names", catalogue: () => ["Tasting booked"] });
 * const { ok, hooks } = await testPlugin(plugin);
 * if (!ok) console.error(hooks.flatMap(({ hook, problems }) => problems.map((problem) => `${hook}: ${problem}`)));
 * ```
 */
export async function testPlugin(plugin: Plugin, options: PluginTestOptions = {}): Promise<PluginTest> {
  const settings = { events: [], values: [], tenantId: "test", maxRows: 1_000, ...options };
  const failed = new Map<HookName, Set<string>>();
  const plugins = createPlugins([plugin], {
    onFailure: ({ hook, code, error }) => note(hook, FAILURES[code] + (error ? ` (${error})` : "")),
  });

  function note(hook: HookName, problem: string): void {
    const problems = failed.get(hook) ?? new Set();
    failed.set(hook, problems.add(problem));
  }

  async function tried(hook: HookName): Promise<string[]> {
    failed.delete(hook);
    try {
      await TRIALS[hook](plugins, plugin, settings, (problem) => note(hook, problem));
    } catch {
      // The runner has reported why; what a trial throws besides is its own kind of failure.
      if (!failed.has(hook)) note(hook, "It failed.");
    }
    return [...(failed.get(hook) ?? [])];
  }

  const hooks: HookTest[] = [];
  for (const hook of Object.keys(HOOKS) as HookName[]) {
    if (plugin[hook] === undefined) continue;
    let problems = await tried(hook);
    for (let again = 1; again < TRIES && problems.join() === FAILURES.slow; again++) problems = await tried(hook);
    hooks.push({ hook, ok: problems.length === 0, problems });
  }
  plugins.audit?.close();
  plugins.receipts?.close();
  return { name: plugin.name, ok: hooks.every(({ ok }) => ok), hooks };
}

/** Of a hook about which nothing is found but that it was late. */
const TRIES = 3;

const FAILURES = {
  threw: "It threw.",
  timed_out: "It did not answer in its time.",
  garbage: "It answered in a wrong shape.",
  slow: "It took longer than its time.",
} as const;

const scope = ({ tenantId }: { tenantId: string }) => ({ tenantId, destinationId: "test-destination" });

const LINE = { action: "destination.update", actor: "test", atMs: Date.UTC(2026, 0, 1) };

const TRIALS: Readonly<Record<HookName, Trial>> = {
  source(plugins, _, { events }, say) {
    for (const source of Object.values(plugins.sources)) {
      for (const event of [...events, ...ODD_EVENTS]) {
        const frozen = deepFrozen(structuredClone(event));
        const once = source.read(frozen);
        if (JSON.stringify(once) !== JSON.stringify(source.read(frozen))) say("The same event is read in two ways.");
      }
    }
  },
  async enrich(plugins, _, options) {
    for (const count of [0, 1, 3]) {
      await plugins.enrich?.(
        Array.from({ length: count }, (_, n) => sampleEvent(n)),
        scope(options),
      );
    }
    await plugins.enrich?.(
      [{ ...sampleEvent(0), ids: { external: {} }, traits: {}, properties: {}, context: {} }],
      scope(options),
    );
  },
  async resolveIdentity(plugins, _, options) {
    for (const purpose of ["ingest", "membership", "forget"] as const) {
      await plugins.resolveIdentity?.(
        { userId: "user-1", identifiers: { em: "person1@example.com" } },
        purpose,
        scope(options),
      );
      await plugins.resolveIdentity?.({}, purpose, scope(options));
    }
  },
  async consent(plugins, _, options) {
    for (const purpose of ["events", "audiences"] as const) {
      await plugins.consent?.(
        { userId: "user-1", identifiers: { em: "person1@example.com" } },
        purpose,
        scope(options),
      );
      await plugins.consent?.({ identifiers: {} }, purpose, scope(options));
    }
  },
  async beforeSend(plugins, _, options, say) {
    for (const event of [sampleSnapEvent, bareSnapEvent]) {
      const outcome = await plugins.beforeSend?.(event, scope(options));
      if (outcome?.status !== "send") continue;
      for (const { path } of outcome.issues) say(`It changes ${path}, which has to stay.`);
    }
  },
  functions(_, plugin, { values }, say) {
    for (const [name, run] of Object.entries(plugin.functions ?? {})) {
      for (const value of [...values, ...ODD_VALUES]) twice(() => run(value, value), name, say);
    }
  },
  operators(_, plugin, { values }, say) {
    for (const [name, run] of Object.entries(plugin.operators ?? {})) {
      for (const value of [...values, ...ODD_VALUES]) twice(() => run(value, "text"), name, say);
    }
  },
  async segments(plugins, _, options, say) {
    const keys: string[] = [];
    for await (const { key } of plugins.segments?.list(scope(options)) ?? []) {
      keys.push(key);
      if (keys.length >= options.maxRows) break;
    }
    let rows = 0;
    for (const key of keys.slice(0, 3)) {
      const members = await plugins.segments?.members(key, scope(options));
      if (members === undefined) say("It lists a segment whose members it does not know.");
      for await (const _ of members ?? []) if (++rows >= options.maxRows) break;
    }
    const none = await plugins.segments?.members("no such segment", scope(options));
    for await (const _ of none ?? []) if (++rows >= options.maxRows) break;
  },
  async catalogue(plugins, _, options) {
    await plugins.catalogue?.(scope(options));
  },
  async keys(plugins, _, { tenantId }, say) {
    const sealing = await plugins.keys?.sealingKey(tenantId);
    const opening = sealing && (await plugins.keys?.openingKey(sealing.id, tenantId));
    if (sealing && !(opening && sameBytes(sealing.key, opening))) say("The key that seals does not open.");
    await plugins.keys?.openingKey("no-such-key", tenantId);
  },
  async fetch(plugins, _, __, say) {
    let sent = 0;
    const answer = new Response("{}", { status: 200 });
    const fetch = plugins.fetch?.(async () => {
      sent++;
      return answer;
    });
    await fetch?.(new Request("https://tr.snapchat.com/v3/test/events", { method: "POST", body: "{}" }));
    if (sent !== 1) say(`It sends one request ${sent} times.`);
  },
  async notify(plugins, _, { tenantId }) {
    await plugins.notify?.({ id: "test-1", type: "paused", tenantId, details: { reason: "test" } });
  },
  async audit(plugins) {
    plugins.audit?.push(LINE);
    await plugins.audit?.flush();
  },
  async receipts(plugins) {
    plugins.receipts?.push({ eventId: "event-1", status: "delivered" });
    await plugins.receipts?.flush();
  },
  messages(plugins) {
    for (const code of ["reauth_required", "no such code", ""])
      plugins.messages?.(code, "English words", { locale: "de" });
  },
};

function twice(run: () => unknown, name: string, say: (problem: string) => void): void {
  let answers: unknown[];
  try {
    answers = [run(), run()];
  } catch (error) {
    say(`${name} threw (${error instanceof Error ? error.constructor.name : typeof error}).`);
    return;
  }
  if (answers[0] instanceof Promise) say(`${name} answers a promise; it has to be synchronous.`);
  else if (JSON.stringify(answers[0]) !== JSON.stringify(answers[1]))
    say(`${name} answers the same question in two ways.`);
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

/** Changing it throws, so a source that changes the host's event is found. */
function deepFrozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const entry of Object.values(value)) deepFrozen(entry);
  }
  return value;
}
