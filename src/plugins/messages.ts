import { GARBAGE, type Guard } from "./guard.ts";
import type { Plugin } from "./hooks.ts";

const MAX_LENGTH = 2_000;

/** The first plugin's words for a code, else the English ones. */
export function createMessages(guard: Guard, plugins: readonly Plugin[]) {
  return function message(
    code: string,
    english: string,
    where: { locale?: string | undefined; tenantId?: string | undefined } = {},
  ): string {
    for (const plugin of plugins) {
      const outcome = guard.callSync(plugin, "messages", () => plugin.messages?.(code, { english, ...where }), words);
      if (outcome.ok && outcome.value !== undefined) return outcome.value;
    }
    return english;
  };
}

function words(answer: unknown): string | undefined {
  if (answer === undefined || answer === "") return undefined;
  if (typeof answer !== "string" || answer.length > MAX_LENGTH) throw GARBAGE;
  return answer;
}
