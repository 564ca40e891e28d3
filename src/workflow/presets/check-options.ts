import { SnapchatError } from "../../errors.ts";
import { shownKey } from "../shown-key.ts";
import type { PresetOptions } from "./options.ts";

const isText = (value: unknown) => typeof value === "string" && value !== "";
const isPaths = (value: unknown) => Array.isArray(value) && value.every(isText);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const oneOf = (...values: string[]) => ({
  fits: (value: unknown) => values.includes(value as string),
  words: `is one of ${values.join(", ")}`,
});
const PATHS = { fits: isPaths, words: "is a list of paths" };

/** What each option is; the preset's own types say the same to who writes TypeScript. */
const OPTIONS: Readonly<Record<keyof PresetOptions, { fits(value: unknown): boolean; words: string }>> = {
  defaultCountry: {
    fits: (value) => typeof value === "string" && /^[A-Z]{2}$/.test(value),
    words: "is a country's two letters in upper case",
  },
  defaultCurrency: { fits: isText, words: "is a currency's three letters" },
  consent: {
    fits: (value) => isObject(value) && isPaths(value.names) && (value.absent === "allow" || value.absent === "deny"),
    words:
      'is { names, absent }, and `absent` is "allow" or "deny": what an event means that is silent is your decision',
  },
  contentId: oneOf("product_id", "sku", "variant_id"),
  actionSource: oneOf("WEB", "MOBILE_APP", "OFFLINE"),
  siteUrl: { fits: isText, words: "is an address" },
  eventId: PATHS,
  orderId: PATHS,
  clickId: PATHS,
  cookie1: PATHS,
  segment: {
    fits: (value) => isObject(value) && isPaths(value.key) && (value.name === undefined || isPaths(value.name)),
    words: "is { key, name }, each a list of paths",
  },
  aliases: { fits: (value) => isObject(value) && Object.values(value).every(isText), words: "is an object of names" },
};

const isOption = (name: string): name is keyof PresetOptions => Object.hasOwn(OPTIONS, name);

/**
 * Refuses what a preset would not read or could not use, once and by name, before it stands in every rule.
 *
 * @throws {SnapchatError} `preset_options_invalid` (fix_configuration)
 */
export function checkPresetOptions(options: unknown): void {
  if (!isObject(options)) throw wrong("The options of a preset are an object.");
  for (const [name, value] of Object.entries(options)) {
    if (!isOption(name)) {
      const meant = Object.keys(OPTIONS).find((known) => known.toLowerCase().includes(name.toLowerCase()));
      throw wrong(`A preset has no option ${shownKey(name)}.${meant && name ? ` \`${meant}\` may be meant.` : ""}`);
    }
    if (value !== undefined && !OPTIONS[name].fits(value)) {
      throw wrong(`The preset's option \`${name}\` ${OPTIONS[name].words}.`, name);
    }
  }
}

/** Options of a stored workflow, which another version may have written: what is not known any more is left out. */
export function knownOptions(options: Readonly<Record<string, unknown>>): PresetOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => isOption(name)));
}

function wrong(message: string, option?: string): SnapchatError {
  return new SnapchatError({
    code: "preset_options_invalid",
    kind: "fix_configuration",
    message,
    fix: `Options are ${Object.keys(OPTIONS).join(", ")}.`,
    ...(option === undefined ? {} : { details: { option } }),
  });
}
