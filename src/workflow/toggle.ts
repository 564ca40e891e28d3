import { SnapchatError } from "../errors.ts";
import { foldName } from "../rules/fold.ts";
import type { Rule, Workflow } from "../rules/workflow.ts";
import { channelAvailability } from "./availability.ts";
import { shownKey } from "./shown-key.ts";

/** The two switches of an event; one that is absent stays as it is. */
export interface Toggles {
  /** From the CDP's server by the Conversions API; for segments: keep them in step. */
  server?: boolean;
  /** From the visitor's browser by the pixel. */
  client?: boolean;
}

/**
 * A workflow with an event switched on or off. Pure: the workflow given stays as it is. `added_to_segment` and
 * `removed_from_segment` move together, because a list that only grows is wrong. An event's name moves all its rules,
 * a rule's id only that one.
 *
 * @throws SnapchatError `event_unknown` where no rule has this name, `client_not_available` where the pixel cannot send it,
 * `toggles_invalid` where the switches are anything but `server` and `client`, true or false.
 *
 * @example
 * ```ts
 * import { presets, setToggle } from "snapchat-destination/workflow";
 *
 * const workflow = setToggle(presets.customerlabs(), "Purchased", { server: true, client: true });
 * ```
 */
export function setToggle(workflow: Workflow, event: string, toggles: Toggles): Workflow {
  checkToggles(toggles);
  const wanted = new Set(rulesNamed(workflow, event).map((rule) => rule.id));
  return {
    ...workflow,
    rules: workflow.rules.map((rule) => (wanted.has(rule.id) ? toggled(rule, event, toggles) : rule)),
  };
}

function checkToggles(toggles: unknown): void {
  const wrong = (message: string) =>
    new SnapchatError({
      code: "toggles_invalid",
      kind: "fix_configuration",
      message,
      fix: "Pass an object with `server`, `client` or both, each true or false: { server: true }.",
    });
  if (typeof toggles !== "object" || toggles === null) throw wrong("The switches of an event are an object.");
  for (const [name, value] of Object.entries(toggles)) {
    if (name !== "server" && name !== "client") throw wrong(`An event has no switch ${shownKey(name)}.`);
    if (value !== undefined && typeof value !== "boolean")
      throw wrong(`The switch \`${name}\` is neither true nor false.`);
  }
}

function rulesNamed(workflow: Workflow, event: string): readonly Rule[] {
  const byId = workflow.rules.filter((rule) => rule.id === event);
  const folded = foldName(event);
  const found = byId.length ? byId : workflow.rules.filter((rule) => foldName(rule.on) === folded);
  if (found.length === 0) {
    throw new SnapchatError({
      code: "event_unknown",
      kind: "fix_configuration",
      message: "The workflow has no rule for this event.",
      fix: `Use the name of one of its events (${eventsOf(workflow)}), or add a rule for it to the workflow.`,
      details: { event: event.slice(0, 100) },
    });
  }
  return found.some(isSegment) ? workflow.rules.filter((rule) => isSegment(rule) || found.includes(rule)) : found;
}

const SHOWN = 30;

function eventsOf({ rules }: Workflow): string {
  const names = [...new Set(rules.map(({ on }) => on))];
  return names.length > SHOWN ? `${names.slice(0, SHOWN).join(", ")}, …` : names.join(", ");
}

const isSegment = (rule: Rule) => rule.to.startsWith("segment:");

function toggled(rule: Rule, event: string, { server = rule.server, client = rule.client }: Toggles): Rule {
  const { client: byPixel } = channelAvailability(rule);
  if (client && !byPixel.available) {
    throw new SnapchatError({
      code: "client_not_available",
      kind: "fix_configuration",
      message: isSegment(rule)
        ? "Segments are kept in step by the server; the pixel cannot do it."
        : "This event happens in an app, and the pixel sends from web pages only.",
      fix: "Leave the client-side toggle of this event off.",
      details: { event: event.slice(0, 100), rule: rule.id },
    });
  }
  return { ...rule, server, client };
}
