import type { ConsentRule } from "./workflow.ts";

/** Why consent stops a rule, and the name that stops it; `undefined` where it does not. */
export interface ConsentRefusal {
  reason: "consent_denied" | "consent_absent";
  name: string;
}

/**
 * All names must be granted. A name the event denies stops the rule; a name it does not mention stops it where absent
 * means deny. A denial is reported before an absence.
 */
export function checkConsent(
  rule: ConsentRule | undefined,
  given: Readonly<Record<string, boolean>> | undefined,
): ConsentRefusal | undefined {
  let absent: string | undefined;
  for (const name of rule?.names ?? []) {
    const granted = given && Object.hasOwn(given, name) ? given[name] : undefined;
    if (granted === false) return { reason: "consent_denied", name };
    if (granted === undefined) absent ??= name;
  }
  return absent !== undefined && rule?.absent !== "allow" ? { reason: "consent_absent", name: absent } : undefined;
}
