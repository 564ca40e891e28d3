import { LIMITED_DATA_USE, PIXEL_PARAMETERS } from "../wire/pixel.ts";
import { PIXEL_KIND, PIXEL_TRACK_PARAMETERS } from "../wire/pixel-parameters.ts";
import { foldName } from "./fold.ts";
import type { Condition, ConsentRule, Filter, Mapping, Scalar, Workflow } from "./workflow.ts";
import type { Fields } from "./writer.ts";

/**
 * A filter or mapping in the shape a browser evaluates: a scalar is itself, a list is an operation and its inputs.
 * Nothing but data, so it travels as JSON.
 */
export type Expression = Scalar | null | Operation;

/** An operation's name and its inputs. */
export interface Operation extends ReadonlyArray<Expression> {}

/** One client rule as a browser gets it. */
export interface BrowserRule {
  id: string;
  /** Snap event. */
  to: string;
  when?: Expression;
  /** What `track` is given, in the pixel's own names. */
  data: Expression;
  consent?: ConsentRule;
  /** The rule's own id of the event, where it has one. */
  eventId?: Expression;
  /** Not the first rule of its event: its id ends in its target. */
  derived?: true;
}

/**
 * The part of a workflow that a browser runs: client rules with the fields the pixel has a name for, by folded event
 * name (aliases are names of their own). No rule of the server's, no source of identifiers, no segment, no secret.
 */
export interface BrowserWorkflow {
  rules: Readonly<Record<string, readonly BrowserRule[]>>;
  /** The event's id, where it carries one. */
  eventId: Expression;
}

/**
 * Cuts a workflow down for the browser. A rule that is not the first of its event is `derived` there too, although the
 * rules before it may not be on the page (invariant 3).
 *
 * @example
 * ```ts
 * import { browserWorkflow, presets, setToggle } from "snapchat-destination/workflow";
 *
 * const workflow = setToggle(presets.customerlabs(), "Purchased", { server: true, client: true });
 * Object.keys(browserWorkflow(workflow).rules); // the events a page sends, without what only the server may know
 * ```
 */
export function browserWorkflow(workflow: Workflow): BrowserWorkflow {
  const rules: Record<string, BrowserRule[]> = {};
  const named = new Set<string>();
  for (const rule of workflow.rules) {
    const name = foldName(rule.on);
    const derived = named.has(name);
    named.add(name);
    if (!rule.client || rule.to.startsWith("segment:") || name in {}) continue;
    const { id, to, when, consent, dedupe } = rule;
    const list = rules[name] ?? [];
    rules[name] = list;
    list.push({
      id,
      to,
      data: pixelData({ ...workflow.map, ...rule.map }),
      ...(when ? { when: lowerFilter(when) } : {}),
      ...(consent ? { consent } : {}),
      ...(dedupe ? { eventId: lowerId(dedupe) } : {}),
      ...(derived ? { derived } : {}),
    });
  }
  for (const [own, name] of Object.entries(workflow.aliases ?? {})) {
    const [from, to] = [foldName(own), foldName(name)];
    // A rule of the name itself goes before an alias, on the server as well.
    if (!named.has(from) && rules[to] && !(from in {})) rules[from] = rules[to];
  }
  return { rules, eventId: lowerId([...(workflow.dedupe ?? []), "browserId", "id"]) };
}

/**
 * The fields the pixel has a parameter for, under the pixel's names; the rest it would drop silently. The item ids are
 * those of `contents` where nothing else gives them.
 */
function pixelData(map: Fields): Expression {
  const parameters = new Map<string, Expression>();
  for (const [field, name] of PIXEL_PARAMETERS) {
    const mapping = map[`custom_data.${field}`];
    if (!mapping) continue;
    const value = lowerMapping(mapping);
    // Shops write numbers in many ways; the server's copy reads them with the same function.
    const read: Expression = PIXEL_TRACK_PARAMETERS[name] === PIXEL_KIND.number ? ["number", value] : value;
    const earlier = parameters.get(name);
    parameters.set(name, earlier === undefined ? read : ["first", read, earlier]);
  }
  const contents = map["custom_data.contents"];
  if (contents) {
    const ids: Expression = ["each", lowerMapping(contents), ["item", "id"]];
    parameters.set("item_ids", ["first", parameters.get("item_ids") ?? null, ids]);
  }
  const limited = map.data_processing_options;
  if (limited) parameters.set("data_use", ["if", ["exists", lowerMapping(limited), null], LIMITED_DATA_USE, null]);
  return ["object", ...[...parameters].flat()];
}

function lowerId(paths: readonly string[]): Expression {
  return ["first", ...paths.map((path): Expression => ["text", lowerPath(path)])];
}

/** Keys one by one; a path that no data can have (see `compilePath`) is nothing. */
function lowerPath(path: string): Expression {
  const keys = path.split(".");
  if (keys.some((key) => key in {})) return null;
  return keys[0] === "item" ? ["item", ...keys.slice(1)] : ["path", ...keys];
}

function lowerFilter(filter: Filter): Expression {
  if ("and" in filter) return ["and", ...filter.and.map(lowerFilter)];
  if ("or" in filter) return ["or", ...filter.or.map(lowerFilter)];
  if ("not" in filter) return ["not", lowerFilter(filter.not)];
  const { path, op, value } = filter as Condition;
  const compared: Expression = Array.isArray(value) ? ["list", ...value] : ((value as Scalar | undefined) ?? null);
  return [op, lowerPath(path), compared];
}

function lowerMapping(mapping: Mapping): Expression {
  if ("path" in mapping) return lowerPath(mapping.path);
  if ("value" in mapping) return mapping.value;
  if ("first" in mapping) return ["first", ...mapping.first.map(lowerMapping)];
  if ("if" in mapping) {
    return ["if", lowerFilter(mapping.if), lowerMapping(mapping.use), mapping.else ? lowerMapping(mapping.else) : null];
  }
  if ("each" in mapping) return ["each", lowerPath(mapping.each), lowerMapping(mapping.to)];
  if ("object" in mapping) {
    return ["object", ...Object.entries(mapping.object).flatMap(([key, part]) => [key, lowerMapping(part)])];
  }
  if ("template" in mapping) {
    const parts = mapping.template.split(/\{([^{}]*)\}/);
    return ["template", ...parts.map((part, index): Expression => (index % 2 ? ["text", lowerPath(part)] : part))];
  }
  if ("call" in mapping) return lowerCall(mapping.call, (mapping.with ?? []).map(lowerMapping));
  const [operation, inside] = Object.entries(mapping)[0] as [string, Mapping];
  return [operation, lowerMapping(inside)];
}

/** The built-in functions in terms of fewer operations; a plugin's function is not in the browser and gives nothing. */
function lowerCall(name: string, inputs: Expression[]): Expression {
  const quantity: Expression = ["first", ["number", ["item", "quantity"]], 1];
  const [list = null] = inputs;
  switch (name) {
    case "basket_total":
      return ["sum", ["each", list, ["times", ["number", ["item", "price"]], quantity]], 10_000];
    case "item_count":
      return ["sum", ["each", list, ["if", ["exists", ["item"], null], quantity, null]], 1];
    default:
      return [name, ...inputs];
  }
}
