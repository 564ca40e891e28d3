import { digestOf } from "../../rules/digest.ts";
import type { ConsentRule, Mapping, Rule, Workflow } from "../../rules/workflow.ts";
import { checkPresetOptions, knownOptions } from "./check-options.ts";
import {
  AMOUNT_FIELDS,
  listFields,
  orderFields,
  PROMOTION_FIELDS,
  productFields,
  SEARCH_FIELDS,
  SIGN_UP_FIELDS,
  sharedFields,
  userFields,
} from "./maps.ts";
import type { PresetOptions } from "./options.ts";
import { ALIASES, CUSTOMERLABS_ROWS, ECOMMERCE_ROWS, type PresetRow } from "./rows.ts";

export { type ContentId, eeaConsent, type PresetOptions } from "./options.ts";

/** Rises with every change of a row, a field or an alias; `migrateWorkflow` moves stored workflows forward. */
export const PRESET_VERSION = 1;

const ROWS: Readonly<Record<string, readonly PresetRow[]>> = {
  customerlabs: CUSTOMERLABS_ROWS,
  segment: ECOMMERCE_ROWS,
  rudderstack: ECOMMERCE_ROWS,
  ecommerce: ECOMMERCE_ROWS,
};

/**
 * Workflows to start from: every event of the source that Snapchat has a name for, every toggle off. The marketer
 * switches on with `setToggle`. They are written over the canonical event, so `ecommerce` serves a host's own source
 * with the names of any of the three platforms.
 *
 * @throws SnapchatError `preset_options_invalid` where an option is not known, or is not what it has to be.
 * @example
 * ```ts
 * import { presets, setToggle } from "snapchat-destination/workflow";
 *
 * const born = presets.customerlabs({ defaultCountry: "GB", consent: { names: ["ad_storage"], absent: "deny" } });
 * const workflow = setToggle(born, "Purchased", { server: true, client: true });
 * ```
 */
export const presets = {
  /** CustomerLabs' own event names. */
  customerlabs: (options: PresetOptions = {}): Workflow => checkedPreset("customerlabs", options),
  /** Segment's e-commerce specification v2. */
  segment: (options: PresetOptions = {}): Workflow => checkedPreset("segment", options),
  /** RudderStack's e-commerce specification. */
  rudderstack: (options: PresetOptions = {}): Workflow => checkedPreset("rudderstack", options),
  /** For a host's own source: the names of all three platforms and of GA4. */
  ecommerce: (options: PresetOptions = {}): Workflow => checkedPreset("ecommerce", options),
} as const;

/** Name of a preset. */
export type PresetName = keyof typeof presets;

function checkedPreset(name: PresetName, options: PresetOptions): Workflow {
  checkPresetOptions(options);
  return makePreset(name, options);
}

/** The preset of a stored workflow, made with that workflow's own options. */
export function presetAgain(name: PresetName, options: Readonly<Record<string, unknown>>): Workflow {
  return makePreset(name, knownOptions(options));
}

function makePreset(name: PresetName, options: PresetOptions): Workflow {
  const workflow = {
    ...(options.defaultCountry === undefined ? {} : { defaultCountry: options.defaultCountry }),
    aliases: { ...ALIASES[name], ...options.aliases },
    map: sharedFields(options),
    user: userFields(options),
    ...(options.eventId ? { dedupe: [...options.eventId] } : {}),
    ...(options.orderId ? { orderId: [...options.orderId] } : {}),
    ...(options.segment ? { audience: structuredClone(options.segment) } : {}),
    rules: (ROWS[name] ?? []).map((row) => makeRule(row, options)),
  };
  const preset = {
    name,
    version: PRESET_VERSION,
    options: structuredClone(options) as Record<string, unknown>,
    born: bornDigests(workflow),
  };
  return { format: 1, source: name, preset, ...workflow };
}

/** Parts of a workflow that a preset fills beside its rules. */
export const PRESET_PARTS = ["aliases", "map", "user"] as const;

/** What tells the untouched parts of a preset from those the host edited, later. */
export function bornDigests(workflow: Pick<Workflow, "rules" | (typeof PRESET_PARTS)[number]>): Record<string, string> {
  const rules = workflow.rules.map((rule) => [rule.id, ruleDigest(rule)]);
  const parts = PRESET_PARTS.map((part) => [`workflow.${part}`, digestOf(workflow[part])]);
  return Object.fromEntries([...rules, ...parts]);
}

function makeRule(row: PresetRow, options: PresetOptions): Rule {
  const consent: ConsentRule | undefined = row.to === "segment:remove" ? undefined : options.consent;
  const map: Record<string, Mapping> = {
    ...fieldsOf(row, options),
    ...(row.app ? { action_source: { value: "MOBILE_APP" } } : {}),
  };
  return {
    id: ruleId(row.on),
    on: row.on,
    label: row.label,
    to: row.to,
    ...(Object.keys(map).length ? { map } : {}),
    server: false,
    client: false,
    ...(consent ? { consent: { names: [...consent.names], absent: consent.absent } } : {}),
  };
}

/** `AddPaymentInfo` → `add_payment_info`. */
function ruleId(name: string): string {
  const words = name.replace(/([a-z])([A-Z])/g, "$1_$2");
  return words.toLowerCase().replace(/[^a-z0-9]+/g, "_");
}

function fieldsOf(row: PresetRow, options: PresetOptions): Readonly<Record<string, Mapping>> {
  switch (row.fields) {
    case "product":
      return productFields(options);
    case "order":
      return { ...productFields(options), ...orderFields(options) };
    case "list":
      return listFields(options);
    case "search":
      return SEARCH_FIELDS;
    case "sign_up":
      return SIGN_UP_FIELDS;
    case "amount":
      return AMOUNT_FIELDS;
    case "promotion":
      return PROMOTION_FIELDS;
    case "none":
      return {};
  }
}

/** What of a rule is the preset's: all but the marketer's toggles and consent. */
export function ruleDigest({ server, client, consent, ...content }: Rule): string {
  return digestOf(content);
}
