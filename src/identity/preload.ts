import { countryData } from "./country-data.ts";
import { phoneLibrary } from "./phone-library.ts";

/**
 * Loads the phone rules and the country names by `import()`.
 *
 * Not needed where packages can be required, which is everywhere on Node without a bundler: there they are loaded by
 * themselves at the first identifier that needs them. Bundles and edge runtimes await it once at the start; the clients
 * of this package do so by themselves.
 *
 * @example
 * ```ts
 * import { preloadIdentity } from "snapchat-destination/identity";
 *
 * await preloadIdentity(); // at the start of a worker or an edge function
 * ```
 */
export async function preloadIdentity(): Promise<void> {
  await Promise.all([phoneLibrary.preload(), countryData.preload()]);
}

/**
 * The phone rules' half of {@link preloadIdentity}.
 *
 * @example
 * ```ts
 * import { hashedMember, preloadPhones } from "snapchat-destination/identity";
 *
 * await preloadPhones(); // a list of phones needs no names of countries
 * hashedMember("phone", "+44 7911 123456 ext. 7");
 * ```
 */
export function preloadPhones(): Promise<void> {
  return phoneLibrary.preload();
}

/**
 * `undefined` where identifiers can be read now, else the {@link preloadIdentity} to await. Costs nothing once loaded.
 *
 * @example
 * ```ts
 * import { hash, identityReady } from "snapchat-destination/identity";
 *
 * export async function digestOf(phone: string) {
 *   await identityReady(); // nothing to wait for once it is loaded
 *   return hash("ph", phone);
 * }
 * ```
 */
export function identityReady(): Promise<void> | undefined {
  return phoneLibrary.ready() && countryData.ready() ? undefined : preloadIdentity();
}
