import { asFlag, type Bag } from "./read.ts";

/** Consents as platforms write them (booleans, `granted`/`denied`, 1/0) as booleans; what is neither says nothing. */
export function readConsent(
  given: Bag,
  unwrap: (value: unknown) => unknown = (value) => value,
): Record<string, boolean> {
  const consent: Record<string, boolean> = {};
  for (const key of Object.keys(given)) {
    const flag = asFlag(unwrap(given[key]));
    if (flag !== undefined && key !== "__proto__") consent[key] = flag;
  }
  return consent;
}
