import type { Plugins } from "../plugins/index.ts";
import { type ReasonWords, reasonWords } from "../workflow/index.ts";
import { REASON_SECTIONS } from "./reasons.ts";

const WORDS: ReadonlyMap<string, ReasonWords> = new Map(
  // The first that names a reason has the words for it.
  REASON_SECTIONS.flatMap(({ reasons }) => Object.entries(reasons)).reverse(),
);

/**
 * The words of any reason a receipt may carry: one frozen object for each, so that saying why costs a look-up. A reason
 * of a plugin's own is shown as it is.
 */
export function wordsOf(reason: string): ReasonWords {
  return WORDS.get(reason) ?? reasonWords(reason);
}

/** The same, where it is not a code of Snapchat's or of a plugin's own. */
export const knownWords = (reason: string): ReasonWords | undefined => WORDS.get(reason);

/** A plugin's own reason for dropping an event, which may be spelled as one of ours and mean something else. */
export function wordsOfPlugin(reason: string, plugin: string): ReasonWords {
  if (OF_PLUGINS.has(reason)) return wordsOf(reason);
  return {
    message: `The plugin ${plugin} dropped it: ${reason}.`,
    fix: "Nothing to do, unless such events should be sent: then look at the plugin.",
  };
}

/** What we say of a plugin's answer. */
const OF_PLUGINS: ReadonlySet<string> = new Set(["plugin_failed", "consent_denied"]);

/** Says a code in the host's own words; the English ones come along. */
export type Say = (code: string, english: string) => string;

/** The words of the `messages` hook for one tenant; `undefined` where no plugin has any. */
export function hostWords(plugins: Pick<Plugins, "messages">, tenantId: string): Say | undefined {
  const { messages } = plugins;
  return messages && ((code, english) => messages(code, english, { tenantId }));
}

/** What happened under `code`, what to do about it under `code.fix`. */
export function inHostWords<W extends ReasonWords>(code: string, words: W, say: Say): W {
  return { ...words, message: say(code, words.message), fix: words.fix === "" ? "" : say(`${code}.fix`, words.fix) };
}
