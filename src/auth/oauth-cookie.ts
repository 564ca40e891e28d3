import { digest } from "./oauth-state.ts";

/**
 * The cookie that binds a sign-in to one browser. Each sign-in has its own, named after its state, so that two tabs do not
 * disturb each other.
 *
 * `__Host-` makes the browser itself see to Secure, Path=/ and no Domain: a neighbouring subdomain cannot plant it. It
 * exists on https only; on this machine's http the same cookie has a plain name.
 */
export function cookieName(state: string, secure: boolean): string {
  return `${secure ? "__Host-" : ""}snapchat_sign_in_${digest(state).slice(0, 12)}`;
}

export function cookieText(o: { name: string; value: string; secure: boolean; maxAgeSeconds: number }): string {
  const { name, value, secure, maxAgeSeconds } = o;
  // Lax, not Strict: the way back from Snapchat is a navigation from another site.
  return `${name}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
}

export function readCookie(header: string | null, name: string): string | undefined {
  for (const part of header?.split(";") ?? []) {
    const at = part.indexOf("=");
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return undefined;
}
