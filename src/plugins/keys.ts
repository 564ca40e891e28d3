import { SnapchatError } from "../errors.ts";
import { isPlain } from "./copy.ts";
import { GARBAGE, type Guard } from "./guard.ts";
import type { KeyHook, Plugin } from "./hooks.ts";
import { taken } from "./sources.ts";

/** The one plugin's keys. Whatever goes wrong is worth waiting for; no login is lost by it. */
export function guardedKeys(guard: Guard, plugins: readonly Plugin[]): KeyHook {
  const [plugin, second] = plugins;
  if (second) throw taken("hook", "keys", second.name);
  const ask = async <T>(task: (keys: KeyHook) => unknown, check: (answer: unknown) => T): Promise<T> => {
    const outcome = await guard.call(plugin as Plugin, "keys", () => task(plugin?.keys as KeyHook), check);
    if (!outcome.ok) throw unavailable(plugin?.name ?? "", outcome.failure.code);
    return outcome.value;
  };
  return {
    sealingKey: (tenantId) => ask((keys) => keys.sealingKey(tenantId), sealingKey),
    openingKey: (id, tenantId) => ask((keys) => keys.openingKey(id, tenantId), openingKey),
  };
}

function sealingKey(answer: unknown): { id: string; key: Uint8Array } {
  if (!isPlain(answer) || typeof answer.id !== "string" || !/^[^.]{1,64}$/.test(answer.id)) throw GARBAGE;
  const key = openingKey(answer.key);
  if (key === undefined) throw GARBAGE;
  return { id: answer.id, key };
}

function openingKey(answer: unknown): Uint8Array | undefined {
  if (answer === undefined) return undefined;
  if (!(answer instanceof Uint8Array) || answer.length !== 32) throw GARBAGE;
  return answer;
}

function unavailable(plugin: string, failure: string): SnapchatError {
  return new SnapchatError({
    code: "keys_unavailable",
    kind: "retry",
    message: `The plugin ${plugin} gave no key.`,
    fix: "Look at the key management service; work goes on by itself when it answers.",
    details: { plugin, failure },
  });
}
