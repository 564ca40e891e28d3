import type { Knobs } from "./knobs.ts";
import type { Random } from "./random.ts";
import type { App, Person } from "./world.ts";

/** An OAuth access token as the simulator knows it. `id` is safe to print; the text is not. */
export interface AccessToken {
  id: string;
  kind: "oauth";
  person: Person;
  app: App;
  scopes: readonly string[];
  expiresAt: number;
  revoked: boolean;
}

export interface RefreshToken {
  id: string;
  person: Person;
  app: App;
  scopes: readonly string[];
  revoked: boolean;
  /** How often it was used. */
  uses: number;
}

/** A code waiting to be exchanged, once. */
export interface Code {
  person: Person;
  app: App;
  redirectUri: string;
  scopes: readonly string[];
  expiresAt: number;
  used: boolean;
}

/** The token endpoint's answer, as Snapchat writes it. */
export interface TokenAnswer {
  access_token: string;
  token_type: "Bearer";
  expires_in: number;
  refresh_token: string;
  scope: string;
  id_token: "";
}

/** Every OAuth token the simulator has given out. */
export interface TokenStore {
  readonly access: Map<string, AccessToken>;
  readonly refresh: Map<string, RefreshToken>;
  readonly codes: Map<string, Code>;
  issueCode(code: Omit<Code, "expiresAt" | "used">): string;
  issue(person: Person, app: App, scopes: readonly string[], refreshToken?: string): TokenAnswer;
  /** The living access token, or why there is none. */
  find(token: string | undefined): AccessToken | "missing" | "unknown" | "expired" | "revoked";
  clear(): void;
}

const ACCESS_HEADER = Buffer.from('{"alg":"dir","enc":"A128CBC-HS256"}').toString("base64url");

export function createTokenStore(knobs: Knobs, random: Random, now: () => number): TokenStore {
  const access = new Map<string, AccessToken>();
  const refresh = new Map<string, RefreshToken>();
  const codes = new Map<string, Code>();
  let issued = 0;
  let refreshIssued = 0;

  // The real one is a JWE of about 1 kB with an empty key part: opaque to whoever holds it.
  const accessText = () => `${ACCESS_HEADER}..${random.text(22)}.${random.text(800)}.${random.text(22)}`;

  return {
    access,
    refresh,
    codes,
    issueCode(code) {
      const value = random.text(40);
      codes.set(value, { ...code, expiresAt: now() + knobs.authorizationCodeSeconds * 1_000, used: false });
      return value;
    },
    issue(person, app, scopes, refreshToken) {
      const text = accessText();
      const expiresIn = knobs.accessTokenSeconds;
      issued += 1;
      access.set(text, {
        id: `access-${issued}`,
        kind: "oauth",
        person,
        app,
        scopes,
        expiresAt: now() + expiresIn * 1_000,
        revoked: false,
      });
      let refreshText = refreshToken;
      if (refreshText === undefined) {
        refreshText = random.text(64);
        refreshIssued += 1;
        refresh.set(refreshText, { id: `refresh-${refreshIssued}`, person, app, scopes, revoked: false, uses: 0 });
      }
      return {
        access_token: text,
        token_type: "Bearer",
        expires_in: expiresIn,
        refresh_token: refreshText,
        scope: scopes.join(" "),
        id_token: "",
      };
    },
    find(token) {
      if (!token) return "missing";
      const record = access.get(token);
      if (!record) return "unknown";
      if (record.revoked) return "revoked";
      return record.expiresAt <= now() ? "expired" : record;
    },
    clear() {
      access.clear();
      refresh.clear();
      codes.clear();
    },
  };
}
