import { type Draft, note } from "./draft.ts";

const PATH = "data_processing_options";

/**
 * JSON of `data_processing_options`: absent unless limited use is asked for, by the setting or by the event. Whatever
 * an event asks for that cannot be read is taken as the careful answer. `DELETE` is never sent with an event.
 */
export function limitedUseText(raw: unknown, draft: Draft): string | undefined {
  let asked = draft.options.limitedUse === true;
  if (raw !== undefined && raw !== null) {
    const words = wordsOf(raw);
    if (words.some((word) => /delete/i.test(word))) note(draft, "deletion_refused", PATH);
    if (words.length > 0) {
      asked = true;
      if (!Array.isArray(raw) || words.some((word) => word !== "LMU")) note(draft, "options_respelled", PATH);
    }
  }
  return asked ? `["${draft.options.limitedUseSpelling ?? "LMU"}"]` : undefined;
}

function wordsOf(raw: unknown): string[] {
  const list: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
  const words: string[] = [];
  // By index: the methods of a list from outside may be anything.
  for (let i = 0; i < list.length; i++) {
    const word = list[i];
    if (word === undefined || word === null || word === false) continue;
    const text = typeof word === "string" ? word.trim() : "?";
    if (text !== "" && text !== "[]") words.push(text);
  }
  return words;
}
