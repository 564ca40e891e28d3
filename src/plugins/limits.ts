import type { HookName } from "./hooks.ts";

/** What is promised about a hook. */
export interface HookRule {
  /** When it is called. */
  when: string;
  /** How long it may take before it counts as failed. Milliseconds. */
  limitMs: number;
  /** What its failure means: a throw, no answer in time, an answer of the wrong shape. */
  failure: string;
}

/** Every hook, in the order in which an event meets them. */
export const HOOKS: Readonly<Record<HookName, HookRule>> = {
  source: {
    when: "an event comes in, once per envelope",
    limitMs: 50,
    failure: "the event is read as empty, with an issue; nothing throws",
  },
  enrich: {
    when: "before routing, a batch at a time",
    limitMs: 1_000,
    failure: "the events go on without it, with an issue",
  },
  resolveIdentity: {
    when: "an event comes in, a membership changes, a person is forgotten",
    limitMs: 1_000,
    failure: "`track` fails with kind `retry` and stores nothing; later the entry waits",
  },
  consent: {
    when: "an event comes in, and again before it is sent",
    limitMs: 1_000,
    failure: "nothing is sent: `track` fails with kind `retry`; later the entry waits",
  },
  functions: {
    when: "a mapping calls one by name",
    limitMs: 50,
    failure: "the value is absent; after ten failures the function is switched off",
  },
  operators: {
    when: "a filter uses one by name",
    limitMs: 50,
    failure: "the condition does not hold; after ten failures the operator is switched off",
  },
  beforeSend: {
    when: "after mapping, once per event that would be sent",
    limitMs: 250,
    failure: "the event is rejected and the receipt names the plugin",
  },
  segments: {
    when: "a segment is switched on or mirrored",
    limitMs: 30_000,
    failure: "the run stops with kind `retry` and can begin again",
  },
  catalogue: {
    when: "the event screen is shown",
    limitMs: 2_000,
    failure: "the plugin's names are missing",
  },
  keys: {
    when: "something is sealed or opened",
    limitMs: 5_000,
    failure: "work waits with kind `retry`; no login counts as lost",
  },
  fetch: {
    when: "any request to Snapchat",
    limitMs: 15_000,
    failure: "as a fault of the network; the deadline is the request's own",
  },
  notify: {
    when: "a login is lost, work is paused, items are dead",
    limitMs: 10_000,
    failure: "it is told again later",
  },
  audit: {
    when: "something is changed by a person",
    limitMs: 10_000,
    failure: "lines wait and are sent again; what does not fit is counted",
  },
  receipts: {
    when: "something is delivered or dead",
    limitMs: 10_000,
    failure: "lines wait and are sent again; what does not fit is counted",
  },
  messages: {
    when: "`verify` and `explain` speak",
    limitMs: 50,
    failure: "the English words are used",
  },
};
