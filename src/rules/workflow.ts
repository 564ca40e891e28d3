/** A value a filter compares with or a mapping writes as it is. */
export type Scalar = string | number | boolean;

/** Comparisons a filter knows without plugins. Text compares exactly; a missing path fails all but `exists: false`. */
export type FilterOperator =
  | "equals"
  | "in"
  | "contains"
  | "starts"
  | "ends"
  | "glob"
  | "exists"
  | "gt"
  | "gte"
  | "lt"
  | "lte";

/** Asks one path of the canonical event. `op` may also be the name of a plugin's operator. */
export interface Condition {
  /** Dotted path into the canonical event: `properties.value`, `products.0.id`, `context.url`. */
  path: string;
  op: FilterOperator | (string & {});
  value?: Scalar | readonly Scalar[];
}

/** A tree of conditions. No regular expressions: it runs in browsers and is bounded. */
export type Filter = Condition | { and: readonly Filter[] } | { or: readonly Filter[] } | { not: Filter };

/**
 * How one field is made from the canonical event. A value that is missing, `null` or empty text counts as absent and
 * the field is left out.
 */
export type Mapping =
  | { path: string }
  | { value: Scalar }
  | { first: readonly Mapping[] }
  /** `{path}` in braces is replaced by its value; absent as soon as one of them is. */
  | { template: string }
  | { if: Filter; use: Mapping; else?: Mapping }
  /** One entry per product (or entry of another list); inside, `item.` is the entry. Entries without a value are left out. */
  | { each: string; to: Mapping }
  | { object: Readonly<Record<string, Mapping>> }
  | { number: Mapping }
  | { text: Mapping }
  | { upper: Mapping }
  | { lower: Mapping }
  /** A named function: built in (`basket_total`, `item_count`, `join`, `unique`, …) or a plugin's. */
  | { call: string; with?: readonly Mapping[] };

/** Which consents a rule needs, and what it means that an event says nothing about one of them. */
export interface ConsentRule {
  /** All must be granted. */
  names: readonly string[];
  /** What an event that does not mention a name means. There is no default: this is a decision. */
  absent: "allow" | "deny";
}

/** The two targets that are a membership instead of a Snap event. */
export type SegmentTarget = "segment:add" | "segment:remove";

/** One row of the event screen: one source event to one Snap event, or to a segment. */
export interface Rule {
  /** Unique in the workflow. */
  id: string;
  /** The event's name as the marketer knows it; matched without regard to case, spaces, `_` and `-`. */
  on: string;
  /** Words for the event screen; `on` where absent. */
  label?: string;
  when?: Filter;
  /** A Snap event name, or `segment:add` / `segment:remove`. */
  to: string;
  /** Fields beyond the workflow's own: `custom_data.value`, `action_source`, `app_data.app_id`, … */
  map?: Readonly<Record<string, Mapping>>;
  /** Send from the server by the Conversions API (for a segment: keep it in step). */
  server: boolean;
  /** Send from the browser by the pixel. */
  client: boolean;
  consent?: ConsentRule;
  /** Paths of an id that replaces the event's own for this rule; the first present wins. */
  dedupe?: readonly string[];
  /** Set in what a browser gets: this rule is not the first of its event, so its id ends in its target. */
  derived?: boolean;
}

/**
 * What one destination does with which events: plain JSON. `format` is the shape's version; `preset` says where it was
 * born, so that a newer preset can be merged in.
 */
export interface Workflow {
  format: 1;
  /** Source whose names the rules use; informative. */
  source: string;
  preset?: WorkflowPreset;
  /** ISO 3166 alpha-2: the country of phone numbers written without a country code. */
  defaultCountry?: string;
  /** The host's own names for events: host's name → the name rules use. */
  aliases?: Readonly<Record<string, string>>;
  /** Fields every rule starts with; a rule's own `map` goes on top. Keys as in {@link Rule.map}. */
  map?: Readonly<Record<string, Mapping>>;
  /** Where `user_data` comes from: `em`, `ph`, `external_id`, `client_ip_address`, … A list gives several values. */
  user?: Readonly<Record<string, Mapping>>;
  /** Paths of the event's id, in order; absent: the source's own, the browser's, else a digest. */
  dedupe?: readonly string[];
  /** Paths of the order id, in order: one list for pixel, server and the digest. */
  orderId?: readonly string[];
  /** Where a membership event carries its segment, if not where the source looks. */
  audience?: { key: readonly string[]; name?: readonly string[] };
  rules: readonly Rule[];
}

/** The preset a workflow was born from. */
export interface WorkflowPreset {
  name: string;
  version: number;
  /** The options it was made with: plain JSON. */
  options: Readonly<Record<string, unknown>>;
  /** Rule id → digest of the rule as born; tells an edited rule from an untouched one. */
  born: Readonly<Record<string, string>>;
}

/** Bounds of a workflow, so that compiling and running one is bounded too. */
export const WORKFLOW_LIMITS = {
  rules: 500,
  /** Nesting of a filter or a mapping. */
  depth: 12,
  /** Nodes of one filter or one rule's mapping. */
  nodes: 1_000,
  /** Segments of a path. */
  pathLength: 12,
  /** Characters of a name, path or literal. */
  text: 1_000,
  /** Products of one event that a mapping walks over. */
  items: 1_000,
} as const;
