import { REPAIRS } from "../capi/index.ts";
import { IDENTITY_REASONS } from "../identity/index.ts";
import type { Plugins } from "../plugins/index.ts";
import { REASONS, type ReasonWords, reasonWords } from "../workflow/index.ts";

/** Reasons that only the composition gives. */
const OWN: Readonly<Record<string, ReasonWords>> = {
  no_workflow: {
    message: "The destination has no workflow.",
    fix: "Save a workflow made by a preset.",
  },
  source_unknown: {
    message: "The destination's workflow is for a source that is not known here.",
    fix: "Plug in its source, or save a workflow of a source that is.",
  },
  workflow_newer: {
    message: "A newer version of the software saved this destination's workflow.",
    fix: "Update snapchat-destination on this machine.",
  },
  workflow_invalid: {
    message:
      "The destination's workflow does not hold any more: it names a function or operator that is gone, for one.",
    fix: "Bring the plugin back, or save the workflow again: saving says what is wrong.",
  },
  sent_by_browser: {
    message: "The visitor's browser sends this event, with the same id as the server; Snapchat counts it once.",
    fix: "Nothing to do.",
  },
  segment_stopped: {
    message: "The segment is no longer kept in step, as somebody decided.",
    fix: "Call segments.recreate() or segments.link() to go on with it.",
  },
  segment_key_too_long: {
    message: "The event names a segment by a text that is too long to be a key.",
    fix: "Send the segment's key or name, at most 400 characters; the workflow's `audience.key` says where it is read.",
  },
  already_stored: {
    message: "The same call was stored before, less than 48 hours after it was delivered.",
    fix: "Nothing to do: a repeated call is answered, not repeated.",
  },
  order_not_promised: {
    message: "A change of membership has to be sent in order, and the caller did not say that its queue keeps one.",
    fix: "Partition the queue by groupKey, send one batch of a key at a time, and pass { ordered: true }; or use track.",
  },
  validated_only: {
    message: "Snapchat judged the event and counted nothing: the destination is set to check only.",
    fix: "Switch check only off to have events counted.",
  },
  withdrawn: {
    message: "The person withdrew after the event was accepted.",
    fix: "Nothing to do: the withdrawal is respected.",
  },
  twice_in_this_call: {
    message: "The same event stands twice in this call.",
    fix: "Nothing to do: it is sent once.",
  },
};

/** The words of any reason a receipt may carry: the workflow's, the validation's, the identifiers' and our own. */
export function wordsOf(reason: string): ReasonWords {
  const own = Object.hasOwn(OWN, reason) ? OWN[reason] : undefined;
  if (own) return own;
  if (Object.hasOwn(REASONS, reason)) return reasonWords(reason);
  for (const table of [REPAIRS, IDENTITY_REASONS] as const) {
    const found = (table as Readonly<Record<string, ReasonWords>>)[reason];
    if (found && Object.hasOwn(table, reason)) return { message: found.message, fix: found.fix };
  }
  return reasonWords(reason);
}

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
