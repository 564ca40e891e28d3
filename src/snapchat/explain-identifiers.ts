import type { Prepared, PrepareOptions } from "../capi/index.ts";
import { IDENTITY_FIELDS, type IdentityField, normalizeWithReason } from "../identity/index.ts";
import type { SnapEventInput } from "../wire/event.ts";

/** One identifier of an event, without its value. */
export interface IdentifierExplanation {
  /** As Snapchat names it: `em`, `client_ip_address`. */
  field: string;
  /**
   * - `present`: sent as it came (hashed, where Snapchat wants it hashed).
   * - `normalised`: brought to Snapchat's form first; another spelling of the same would match too.
   * - `already_hashed`: came as a digest and is sent as it is.
   * - `omitted`: not sent; `reason` says why.
   */
  state: "present" | "normalised" | "already_hashed" | "omitted";
  reason?: string;
  message?: string;
  fix?: string;
}

const DIGEST = /^[0-9a-f]{64}$/i;
const HASHED: ReadonlySet<string> = new Set(IDENTITY_FIELDS);

/** What became of each identifier an event carried. Never the identifiers. */
export function explainIdentifiers(
  event: SnapEventInput,
  prepared: Prepared,
  options: Pick<PrepareOptions, "defaultCountry">,
): IdentifierExplanation[] {
  const user = (event.user_data ?? {}) as Readonly<Record<string, unknown>>;
  const sent = new Set(prepared.ok ? prepared.identifiers : Object.keys(user));
  const country = [user.country].flat()[0];
  return Object.entries(user).flatMap(([field, value]): IdentifierExplanation[] => {
    if (value === undefined || value === null || value === "") return [];
    const issue = prepared.issues.find(({ path }) => path === `user_data.${field}`);
    if (!sent.has(field) || (issue && !prepared.ok)) {
      const { code = "not_allowed", message, fix } = issue ?? {};
      return [{ field, state: "omitted", reason: code, ...(message && fix ? { message, fix } : {}) }];
    }
    const texts = [value].flat().map(String);
    if (!HASHED.has(field)) return [{ field, state: "present" }];
    if (texts.every((text) => DIGEST.test(text))) return [{ field, state: "already_hashed" }];
    const identity = {
      defaultCountry: options.defaultCountry,
      ...(typeof country === "string" ? { country } : {}),
    };
    const same = texts.every((text) => normalizeWithReason(field as IdentityField, text, identity).value === text);
    return [{ field, state: same ? "present" : "normalised" }];
  });
}
