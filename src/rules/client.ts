import type { BrowserWorkflow, Expression } from "./browser.ts";
import { checkConsent } from "./consent.ts";
import type { CanonicalEvent } from "./event.ts";
import { OPERATORS } from "./filter.ts";
import { foldName } from "./fold.ts";
import { isAbsent, toNumber, toText } from "./values.ts";

/** One rule's answer in the browser: the `track` call to make, or why there is none. */
export interface ClientDecision {
  rule: string;
  reason?: string;
  /** Snap event. */
  event?: string;
  /** In the pixel's names, `client_dedup_id` among them; the pixel's runtime checks the values. */
  parameters?: Record<string, unknown>;
}

/** What the browser does with an event of the host: the id to hand on, and the pixel's share. */
export interface ClientResult {
  eventId: string;
  decisions: ClientDecision[];
}

/** What a browser knows of an event. Identity makes no difference to it: that is the server's business. */
export type ClientEvent = Pick<CanonicalEvent, "name"> & Partial<CanonicalEvent>;

/**
 * The client rules of a workflow in the browser. They mean what the server's rules mean, in a fraction of the bytes:
 * operators, functions and values are the same code, and the tests run both over the same events.
 *
 * `mint` makes the id of an event that has none; the host's own SDK gets it before anything is sent, so that the
 * server's copy carries it too.
 */
export function createClientRouter(
  workflow: BrowserWorkflow,
  mint: () => string,
): (event: ClientEvent) => ClientResult {
  return (event) => {
    const eventId = (evaluate(workflow.eventId, event) as string | undefined) ?? mint();
    return {
      eventId,
      decisions: (workflow.rules[foldName(event.name)] ?? []).map(
        ({ id, to, when, data, consent, derived, ...rule }) => {
          const passes = when === undefined || evaluate(when, event);
          const reason = passes ? checkConsent(consent, event.consent)?.reason : "filter_not_met";
          if (reason) return { rule: id, reason };
          const own = (evaluate(rule.eventId, event) as string | undefined) ?? eventId;
          const parameters = { ...(evaluate(data, event) as object), client_dedup_id: derived ? `${own}.${to}` : own };
          return { rule: id, event: to, parameters };
        },
      ),
    };
  };
}

const present = (value: unknown) => !isAbsent(value);

/** Operations whose inputs are values; all are pure, so that both arms of an `if` may be looked at. */
const OPERATIONS: Readonly<Record<string, (...inputs: unknown[]) => unknown>> = {
  ...(OPERATORS as Readonly<Record<string, (...inputs: unknown[]) => boolean>>),
  and: (...inputs) => inputs.every(Boolean),
  or: (...inputs) => inputs.some(Boolean),
  not: (input) => !input,
  list: (...inputs) => inputs,
  first: (...inputs) => inputs.find(present),
  if: (test, yes, no) => (test ? yes : no),
  template: (...parts) => (parts.some((part, index) => index % 2 && !part) ? undefined : parts.join("")),
  unique: (list) => (Array.isArray(list) ? [...new Set(list)] : list),
  head: (list) => (Array.isArray(list) ? list[0] : list),
  times: (a, b) => (a as number) * (b as number),
  sum: (list, unit) =>
    list && Math.round((list as number[]).reduce((a, b) => a + b) * (unit as number)) / (unit as number),
  number: toNumber,
  text: toText,
  upper: (input) => toText(input)?.toUpperCase(),
  lower: (input) => toText(input)?.toLowerCase(),
  object(...inputs) {
    const out: Record<string, unknown> = {};
    inputs.forEach((value, index) => {
      if (index % 2 && present(value)) out[inputs[index - 1] as string] = value;
    });
    return Object.keys(out).length ? out : undefined;
  },
};

function evaluate(expression: Expression | undefined, event: unknown, item?: unknown): unknown {
  if (!Array.isArray(expression)) return expression;
  const [operation, ...inputs] = expression as [string, ...Expression[]];
  if (operation === "path" || operation === "item") return inputs.reduce(step, operation === "path" ? event : item);
  if (operation === "each") {
    const list = evaluate(inputs[0] as Expression, event, item);
    const entries = Array.isArray(list) ? list.slice(0, 1_000) : [];
    const made = entries.map((entry) => evaluate(inputs[1] as Expression, event, entry)).filter(present);
    return made.length ? made : undefined;
  }
  return OPERATIONS[operation]?.(...inputs.map((input) => evaluate(input, event, item)));
}

function step(value: unknown, key: Expression): unknown {
  if (!value || typeof value !== "object" || (Array.isArray(value) && !(+(key as string) >= 0))) return;
  return (value as Record<string, unknown>)[key as string];
}
