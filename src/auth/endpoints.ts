import { SnapchatError } from "../errors.ts";
import { type Endpoints, SNAPCHAT_ENDPOINTS } from "../wire/endpoints.ts";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** True for an address of this machine. */
export function isLoopback(url: URL): boolean {
  return LOOPBACK.has(url.hostname) || url.hostname.endsWith(".localhost") || /^127(\.\d{1,3}){3}$/.test(url.hostname);
}

/** Names under `.invalid` exist nowhere (RFC 6761): a simulator without a socket has one. */
function staysHere(url: URL): boolean {
  return isLoopback(url) || url.hostname.endsWith(".invalid");
}

/**
 * Snapchat's hosts with those that the caller replaces.
 *
 * @throws {SnapchatError} `endpoint_insecure` (fix_configuration): neither TLS nor this machine
 * @example
 * ```ts
 * import { resolveEndpoints } from "snapchat-destination/auth";
 *
 * resolveEndpoints().conversions; // "https://tr.snapchat.com"
 * resolveEndpoints({ conversions: "http://127.0.0.1:4010" }); // the simulator's; the other hosts stay Snapchat's
 * ```
 */
export function resolveEndpoints(replaced: Partial<Endpoints> = {}): Endpoints {
  const endpoints = { ...SNAPCHAT_ENDPOINTS, ...replaced };
  for (const [name, address] of Object.entries(endpoints)) {
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (url?.protocol === "https:" || (url?.protocol === "http:" && staysHere(url))) continue;
    throw new SnapchatError({
      code: "endpoint_insecure",
      kind: "fix_configuration",
      message: `The endpoint "${name}" is not an https address.`,
      fix: "Tokens travel to it: use https, or http on this machine for tests.",
      details: { name },
    });
  }
  return endpoints;
}

/**
 * Checks where Snapchat shall send people back to.
 *
 * @throws {SnapchatError} `redirect_uri_invalid`, `redirect_uri_insecure` (fix_configuration)
 * @example
 * ```ts
 * import { checkRedirectUri } from "snapchat-destination/auth";
 *
 * checkRedirectUri("https://cdp.example/snapchat/callback").pathname; // "/snapchat/callback"
 * checkRedirectUri("http://cdp.example/snapchat/callback"); // throws redirect_uri_insecure
 * ```
 */
export function checkRedirectUri(redirectUri: string): URL {
  if (typeof redirectUri !== "string" || !URL.canParse(redirectUri)) {
    throw new SnapchatError({
      code: "redirect_uri_invalid",
      kind: "fix_configuration",
      message: "The redirect URI is not an absolute URL.",
      fix: "Use the very text that is registered for the OAuth app, for example https://cdp.example/snapchat/callback.",
    });
  }
  const url = new URL(redirectUri);
  if (url.hash !== "" || redirectUri.includes("#") || url.username !== "" || url.password !== "") {
    throw new SnapchatError({
      code: "redirect_uri_invalid",
      kind: "fix_configuration",
      message: "The redirect URI has a fragment or a user name.",
      fix: "Remove it: RFC 6749 forbids fragments, and a user name has no place there.",
    });
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url))) {
    throw new SnapchatError({
      code: "redirect_uri_insecure",
      kind: "fix_configuration",
      message: "The redirect URI is not an https address: the sign-in code would travel in the clear.",
      fix: "Use https; http is accepted for localhost, 127.0.0.1 and [::1] only.",
      details: { host: url.hostname },
    });
  }
  return url;
}
