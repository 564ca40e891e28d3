import type { Clock } from "../clock.ts";
import { SnapchatError } from "../errors.ts";
import type { HookContext, HookName, Plugin } from "./hooks.ts";
import { HOOKS } from "./limits.ts";

/** A hook that did not do what it promised. Holds nothing the plugin said: that could be a person's data. */
export interface PluginFailure {
  plugin: string;
  hook: HookName;
  /** `slow`: it answered, synchronously and too late to be stopped; the answer counts. */
  code: "threw" | "timed_out" | "garbage" | "slow";
  /** Class of what was thrown: `TypeError`. */
  error?: string;
}

/** What a plugin did to an event, for `explain`. */
export interface PluginChange {
  plugin: string;
  hook: HookName;
  /** Dotted paths that are no longer what they were. */
  paths: string[];
}

/** The answer of a hook, or why there is none. */
export type HookOutcome<T> = { ok: true; value: T } | { ok: false; failure: PluginFailure };

export interface Guard {
  /**
   * Calls a hook. A promise is given up when its time is over; what is not one comes back at once.
   *
   * @param check Gives the answer in the shape that was asked for, or throws {@link GARBAGE}.
   */
  call<T>(
    plugin: Plugin,
    hook: HookName,
    task: (context: HookContext) => unknown,
    check: (answer: unknown) => T,
    scope?: HookScope,
  ): HookOutcome<T> | Promise<HookOutcome<T>>;
  /** As {@link call} for hooks that may not wait: a promise is garbage. */
  callSync<T>(plugin: Plugin, hook: HookName, task: () => unknown, check: (answer: unknown) => T): HookOutcome<T>;
  report(failure: PluginFailure): void;
}

/** What a call is about. */
export interface HookScope {
  tenantId: string;
  destinationId?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** Thrown by a check: the answer has the wrong shape. */
export const GARBAGE = Symbol("garbage");

const NOBODY: HookScope = { tenantId: "" };

/** Runs hooks within their time, whatever they do. */
export function createGuard(clock: Clock, onFailure: ((failure: PluginFailure) => void) | undefined): Guard {
  function report(failure: PluginFailure): void {
    try {
      onFailure?.(failure);
    } catch {
      // A host's listener is no reason to fail either.
    }
  }

  function failed(plugin: Plugin, hook: HookName, reason: unknown): HookOutcome<never> {
    const failure: PluginFailure =
      reason === GARBAGE || reason === TIMED_OUT
        ? { plugin: plugin.name, hook, code: reason === GARBAGE ? "garbage" : "timed_out" }
        : { plugin: plugin.name, hook, code: "threw", error: className(reason) };
    report(failure);
    return { ok: false, failure };
  }

  function call<T>(
    plugin: Plugin,
    hook: HookName,
    task: (context: HookContext) => unknown,
    check: (answer: unknown) => T,
    scope: HookScope = NOBODY,
  ): HookOutcome<T> | Promise<HookOutcome<T>> {
    const limitMs = limitOf(plugin, hook);
    const context = new LazyContext(scope);
    const started = clock.monotonic();
    try {
      const answer = task(context);
      if (isThenable(answer)) return wait(plugin, hook, answer, check, context, limitMs);
      const value = check(answer);
      if (clock.monotonic() - started > limitMs) report({ plugin: plugin.name, hook, code: "slow" });
      return { ok: true, value };
    } catch (error) {
      return failed(plugin, hook, error);
    }
  }

  async function wait<T>(
    plugin: Plugin,
    hook: HookName,
    answer: PromiseLike<unknown>,
    check: (answer: unknown) => T,
    context: LazyContext,
    limitMs: number,
  ): Promise<HookOutcome<T>> {
    const answered = new AbortController();
    const over = clock.sleep(limitMs, answered.signal).then(() => {
      if (!answered.signal.aborted) throw TIMED_OUT;
    });
    over.catch(() => {});
    try {
      const value = await Promise.race([Promise.resolve(answer), over]);
      return { ok: true, value: check(value) };
    } catch (error) {
      if (error === TIMED_OUT) context.abort();
      return failed(plugin, hook, error);
    } finally {
      answered.abort();
    }
  }

  function callSync<T>(
    plugin: Plugin,
    hook: HookName,
    task: () => unknown,
    check: (answer: unknown) => T,
  ): HookOutcome<T> {
    const started = clock.monotonic();
    try {
      const answer = task();
      if (isThenable(answer)) {
        Promise.resolve(answer).catch(() => {});
        throw GARBAGE;
      }
      const value = check(answer);
      if (clock.monotonic() - started > limitOf(plugin, hook)) report({ plugin: plugin.name, hook, code: "slow" });
      return { ok: true, value };
    } catch (error) {
      return failed(plugin, hook, error);
    }
  }

  return { call, callSync, report };
}

const TIMED_OUT = Symbol("timed out");

/** The signal is made when it is asked for: most hooks never look at it. */
class LazyContext implements HookContext {
  readonly tenantId: string;
  readonly destinationId: string | undefined;
  readonly #outer: AbortSignal | undefined;
  #own: AbortController | undefined;
  #aborted = false;

  constructor(scope: HookScope) {
    this.tenantId = scope.tenantId;
    this.destinationId = scope.destinationId;
    this.#outer = scope.signal;
  }

  get signal(): AbortSignal {
    this.#own ??= new AbortController();
    if (this.#aborted) this.#own.abort();
    return this.#outer ? AbortSignal.any([this.#outer, this.#own.signal]) : this.#own.signal;
  }

  abort(): void {
    this.#aborted = true;
    this.#own?.abort();
  }
}

function limitOf(plugin: Plugin, hook: HookName): number {
  return plugin.timeLimitsMs?.[hook] ?? HOOKS[hook].limitMs;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}

function className(error: unknown): string {
  try {
    const name = error instanceof Error ? error.constructor.name : typeof error;
    return /^\w{1,40}$/.test(name) ? name : "Error";
  } catch {
    return "Error";
  }
}

/** The failure as the error that a caller throws: kind `retry`, naming plugin and hook. */
export function pluginFailed({ plugin, hook, code, error }: PluginFailure): SnapchatError {
  const what = {
    threw: "threw",
    timed_out: "did not answer in time",
    garbage: "answered in a wrong shape",
    slow: "was slow",
  };
  return new SnapchatError({
    code: "plugin_failed",
    kind: "retry",
    message: `The plugin ${plugin} ${what[code]} in ${hook}.`,
    fix: "Look at the plugin; testPlugin() tries its hooks. The same call works once the plugin does.",
    details: { plugin, hook, failure: code, error },
  });
}
