const PARAMETER = /[?&#;]sccid=([^&#;\s]{1,200})/i;
/** The click id inside another parameter, encoded once or twice; it is a UUID there, which tells where it ends. */
const NESTED = /sccid%(?:25)*3D([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/i;

/**
 * Snapchat's click id of a landing address: the parameter `ScCid` in any case, the value's own case kept.
 *
 * @example
 * ```ts
 * import { clickIdOf } from "snapchat-destination/workflow";
 *
 * clickIdOf("https://shop.example/?utm_source=snap&ScCid=0f6c2f0e"); // "0f6c2f0e"
 * clickIdOf("https://shop.example/"); // undefined
 * ```
 */
export function clickIdOf(url: string | undefined): string | undefined {
  if (!url || url.length > 8_000) return undefined;
  const found = (PARAMETER.exec(url) ?? (url.includes("%") ? NESTED.exec(url) : null))?.[1];
  if (!found?.includes("%")) return found;
  try {
    return decodeURIComponent(found);
  } catch {
    return found;
  }
}
