import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../clock.ts";
import { SnapchatError } from "../errors.ts";
import type { Records } from "../storage/ports.ts";
import { patiently, putIfVersion } from "./sealed-records.ts";

/** How long somebody may take to sign in. */
export const STATE_LIFE_MS = 10 * 60_000;

/** What a sign-in was started for. */
export interface SignIn {
  tenantId: string;
  destinationId: string;
  appId: string;
  connectionId?: string;
  returnTo?: string;
  scopes: readonly string[];
}

interface StoredState extends SignIn {
  /** Digest of the browser's secret; absent where states are not bound. */
  browser?: string;
  used: boolean;
}

/** A state that was found. */
export interface FoundState {
  signIn: SignIn;
  /** Digest of the secret that the browser must bring. */
  browser: string | undefined;
  /** Uses it up: of all callers one hears `true`, ever. */
  take(): Promise<boolean>;
}

export interface StateStore {
  start(signIn: SignIn, browserSecret: string | undefined): Promise<string>;
  /** @throws {SnapchatError} `oauth_state_missing`, `oauth_state_unknown` */
  find(state: string | undefined): Promise<FoundState>;
}

const STATE_FORM = /^[A-Za-z0-9_-]{43}$/;

/**
 * States in the storage, under a digest of theirs: who reads the database cannot finish somebody's sign-in. Expiry is the
 * storage engine's, so a host with a wrong clock keeps the ten minutes.
 */
export function createStateStore(records: Records, clock: Clock): StateStore {
  const encode = (state: StoredState) => new TextEncoder().encode(`\u0001${JSON.stringify(state)}`);

  return {
    async start(signIn, browserSecret) {
      const state = randomBytes(32).toString("base64url");
      const stored: StoredState = {
        ...signIn,
        ...(browserSecret === undefined ? {} : { browser: digest(browserSecret) }),
        used: false,
      };
      await putIfVersion(records, clock, keyOf(state), encode(stored), { ifVersion: 0, ttlMs: STATE_LIFE_MS });
      return state;
    },

    async find(state) {
      if (!state) throw stateMissing();
      if (!STATE_FORM.test(state)) throw stateUnknown();
      const record = await patiently(() => records.get(keyOf(state)), clock);
      if (!record) throw stateUnknown();
      const stored = JSON.parse(new TextDecoder().decode(record.value.subarray(1))) as StoredState;
      const { browser, used, ...signIn } = stored;
      return {
        signIn,
        browser,
        // Marked rather than deleted: a second callback is told that it is a second one.
        async take() {
          const marked = encode({ ...stored, used: true });
          const o = { ifVersion: record.version, ttlMs: STATE_LIFE_MS };
          return used ? false : (await putIfVersion(records, clock, keyOf(state), marked, o)) !== "conflict";
        },
      };
    },
  };
}

export function newBrowserSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** Whether a browser's secret is the one that a digest was made of. */
export function isSameBrowser(expected: string, secret: string | undefined): boolean {
  if (secret === undefined) return false;
  return timingSafeEqual(Buffer.from(expected), Buffer.from(digest(secret)));
}

export function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

function keyOf(state: string): string {
  return `~state/${digest(state)}`;
}

function stateMissing(): SnapchatError {
  return new SnapchatError({
    code: "oauth_state_missing",
    kind: "fix_data",
    message: "This address was called without a state: the sign-in did not begin here.",
    fix: "Start from the destination's settings page.",
  });
}

function stateUnknown(): SnapchatError {
  return new SnapchatError({
    code: "oauth_state_unknown",
    kind: "fix_data",
    message: "This sign-in took longer than ten minutes, or it did not begin here.",
    fix: "Start again from the destination's settings page.",
  });
}
