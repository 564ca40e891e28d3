import { hash, identityReady } from "../identity/index.ts";
import type { PixelIdentity } from "./options.ts";

/** A person as the host knows them: raw, or hashed already. Of several values the first that is one counts. */
export interface PixelPerson {
  email?: string | readonly string[] | undefined;
  phone?: string | readonly string[] | undefined;
}

/**
 * The identity a page may carry: the digests that the server's events carry too, of mail address and phone number; the
 * pixel knows no id of the host's own. What is not an address or a number is left out.
 *
 * @param options.defaultCountry ISO 3166-1 alpha-2: of phone numbers without a country code, as in the destination's settings.
 * @example
 * ```ts
 * import { pixelIdentity } from "snapchat-destination/pixel";
 *
 * const identity = await pixelIdentity({ email: "Person@Example.com" });
 * // { user_hashed_email: "542d2401…" }
 * ```
 */
export async function pixelIdentity(
  person: PixelPerson,
  options: { defaultCountry?: string | undefined } = {},
): Promise<PixelIdentity> {
  await identityReady();
  const { defaultCountry } = options;
  const first = (field: "em" | "ph", values: PixelPerson["email"]) =>
    [values ?? []]
      .flat()
      .map((value) => hash(field, value, defaultCountry ? { defaultCountry } : {}))
      .find((digest) => digest !== undefined);
  const email = first("em", person.email);
  const phone = first("ph", person.phone);
  return { ...(email && { user_hashed_email: email }), ...(phone && { user_hashed_phone_number: phone }) };
}
