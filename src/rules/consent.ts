import type { ConsentRule } from "./workflow.ts";

/** Why consent stops a rule, and the name that stops it; `undefined` where it does not. */
export interface ConsentRefusal {
  reason: "consent_denied" | "consent_absent";
  name: string;
}

/**
 * All names must be granted. A name the event denies stops the rule; a name it does not mention stops it where absent
 * means deny. A denial is reported before an absence. A platform that treats every name it does not mention as refused
 * says so under the name `*`.
 */
export function checkConsent(
  rule: ConsentRule | undefined,
  given: Readonly<Record<string, boolean>> | undefined,
): ConsentRefusal | undefined {
  let refusal: ConsentRefusal | undefined;
  for (const name of rule?.names ?? []) {
    const granted = name in {} ? false : (given?.[name] ?? given?.["*"]);
    if (granted === false) return { reason: "consent_denied", name };
    if (!granted && rule?.absent !== "allow") refusal ??= { reason: "consent_absent", name };
  }
  return refusal;
}
