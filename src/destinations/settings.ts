import type { AttStatus } from "../capi/index.ts";
import { SnapchatError } from "../errors.ts";
import type { StateCodeCountry } from "../identity/index.ts";
import { type JsonSchema, violations } from "./schema.ts";

/** How a destination prepares and sends, beside its workflow. */
export interface DestinationSettings {
  /** Sent as `integration`: the host's name, as Snapchat asks of partners. */
  integration?: string;
  /** Test mode: events go to Snapchat's test log under this code and are not counted. */
  testEventCode?: string;
  /** Trial mode: events are checked by Snapchat's validate endpoint and never counted. */
  validateOnly?: boolean;
  /** ISO 3166 alpha-2; the country of national phone numbers. */
  defaultCountry?: string;
  /** Limited data use: sent as `data_processing_options`, told to the pixel as well. */
  limitedUse?: boolean;
  /** How limited use is spelt to Snapchat. Default `LMU`; sources disagree. */
  limitedUseSpelling?: "LMU" | "LDU" | "lmu";
  /**
   * The answer to App Tracking Transparency of app events that do not carry one. Without it they count as refused: no
   * advertising id leaves.
   */
  attStatus?: AttStatus;
  /** Only these fields of an event leave. Absent: all that the workflow maps. */
  allowFields?: readonly string[];
  /** Query parameters that stay in URLs. Absent: the built-in list. */
  urlParameters?: readonly string[];
  /** Event names beyond Snapchat's 31 are sent as they are. Default: they are rejected. */
  freeEventNames?: boolean;
  /** Countries besides the United States whose states are sent as codes. Default: none. */
  stateCodes?: readonly StateCodeCountry[];
  /** How far ahead an event's time may lie. Milliseconds. Default five minutes. */
  futureToleranceMs?: number;
  /** The oldest event that is sent, by action source. Milliseconds. */
  ageLimits?: { WEB?: number; MOBILE_APP?: number; OFFLINE?: number };
  /** `repair` (default) mends what it can and says so; `strict` rejects it. */
  policy?: "repair" | "strict";
  audience?: AudienceSettings;
}

/** How a destination makes and fills its segments. */
export interface AudienceSettings {
  /** Where an event names its segment: paths in order. */
  keyPaths?: readonly string[];
  /** The segment's name in Ads Manager; `{name}` and `{key}` are filled in. At most 375 characters. */
  nameTemplate?: string;
  /** Said of every segment in Ads Manager, before our marker. */
  description?: string;
  /** Days a member stays; 0 is for ever. */
  retentionInDays?: number;
  identifiers?: readonly ("email" | "phone" | "mobile_ad_id")[];
}

/** A change of settings: a key that is absent stays, `null` removes it. */
export type SettingsPatch = { readonly [K in keyof DestinationSettings]?: DestinationSettings[K] | null };

const DAY_MS = 86_400_000;
const path: JsonSchema = { type: "string", pattern: "^[\\w$-]+(\\.[\\w$-]+)*$", maxLength: 200 };
const age: JsonSchema = { type: "integer", minimum: 60_000, maximum: 37 * DAY_MS };

/** The settings as JSON Schema: what {@link mergeSettings} enforces and what a settings page can be drawn from. */
export const settingsSchema = {
  type: "object",
  additionalProperties: false,
  properties: {
    integration: {
      type: "string",
      pattern: "^[\\w.-]+$",
      maxLength: 64,
      title: "Integration name",
      description: "Your platform's name as Snapchat shall see it.",
    },
    testEventCode: {
      type: "string",
      pattern: "^[\\w-]+$",
      maxLength: 64,
      title: "Test event code",
      description: "While set, events go to the test log of Events Manager and are not counted.",
    },
    validateOnly: {
      type: "boolean",
      title: "Check only",
      description: "While on, Snapchat checks events and counts none.",
    },
    defaultCountry: {
      type: "string",
      pattern: "^[A-Z]{2}$",
      title: "Country of phone numbers",
      description: "Two letters, for numbers written without a country code.",
    },
    limitedUse: {
      type: "boolean",
      title: "Limited data use",
      description: "Tell Snapchat to limit the use of this data.",
    },
    limitedUseSpelling: { type: "string", enum: ["LMU", "LDU", "lmu"], title: "Spelling of limited data use" },
    attStatus: {
      type: "string",
      enum: ["authorized", "denied", "restricted", "not_determined"],
      title: "App tracking where an event does not say",
      description: "Left empty, such events count as refused and carry no advertising id.",
    },
    allowFields: { type: "array", items: path, maxItems: 200, title: "Fields that may leave" },
    urlParameters: {
      type: "array",
      items: { type: "string", pattern: "^[\\w.\\[\\]-]+$", maxLength: 100 },
      maxItems: 100,
      title: "URL parameters that may stay",
    },
    freeEventNames: {
      type: "boolean",
      title: "Event names of your own",
      description: "While off, an event that Snapchat has no name for is rejected.",
    },
    stateCodes: {
      type: "array",
      items: { type: "string", enum: ["AU", "BR", "CA", "IN", "MX"] },
      maxItems: 5,
      title: "Countries whose states are sent as codes",
    },
    futureToleranceMs: {
      type: "integer",
      minimum: 0,
      maximum: DAY_MS,
      title: "How far ahead an event may lie, in milliseconds",
    },
    ageLimits: {
      type: "object",
      additionalProperties: false,
      properties: { WEB: age, MOBILE_APP: age, OFFLINE: age },
      title: "Oldest event sent, in milliseconds",
    },
    policy: { type: "string", enum: ["repair", "strict"], title: "Events with small faults" },
    audience: {
      type: "object",
      additionalProperties: false,
      title: "Audiences",
      properties: {
        keyPaths: { type: "array", items: path, maxItems: 20, title: "Where an event names its segment" },
        nameTemplate: {
          type: "string",
          maxLength: 375,
          pattern: "\\{(name|key)\\}",
          title: "Segment name in Ads Manager",
        },
        description: { type: "string", maxLength: 300, title: "Segment description in Ads Manager" },
        retentionInDays: { type: "integer", minimum: 0, maximum: 9_999, title: "Days a member stays (0: for ever)" },
        identifiers: {
          type: "array",
          items: { type: "string", enum: ["email", "phone", "mobile_ad_id"] },
          minItems: 1,
          maxItems: 3,
          title: "Identifiers to match by",
        },
      },
    },
  },
} as const satisfies JsonSchema;

/**
 * The settings after a change.
 *
 * @throws {SnapchatError} `settings_invalid` (fix_configuration), naming every path that is wrong and what it should be.
 */
export function mergeSettings(current: DestinationSettings, patch: SettingsPatch): DestinationSettings {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch))
    throw settingsInvalid(["settings: an object"]);
  const merged: Record<string, unknown> = { ...current };
  for (const key of Object.keys(patch)) {
    const value = (patch as Record<string, unknown>)[key];
    if (value === null) delete merged[key];
    else if (value !== undefined)
      Object.defineProperty(merged, key, { value, enumerable: true, configurable: true, writable: true });
  }
  const wrong = violations(merged, settingsSchema, "settings");
  if (wrong.length > 0) throw settingsInvalid(wrong);
  return structuredClone(merged) as DestinationSettings;
}

function settingsInvalid(wrong: readonly string[]): SnapchatError {
  return new SnapchatError({
    code: "settings_invalid",
    kind: "fix_configuration",
    message: `The settings are not valid: ${wrong.slice(0, 5).join("; ")}.`,
    fix: "Correct the settings named in the message; settingsSchema describes them all.",
    details: { count: wrong.length },
  });
}
