import type { Area } from "./ledger.ts";
import type { Incoming } from "./message.ts";
import { createRandom, type Random } from "./random.ts";

/** What goes wrong. Several may be combined: a delay, then a status. */
export interface FaultAction {
  /** Answer this instead of processing. */
  status?: number;
  /** With `status`: the body. Default: what a gateway would say. */
  body?: string | Record<string, unknown>;
  /** With `status`: its type. Default: JSON for objects, else text. */
  contentType?: string;
  headers?: Record<string, string>;
  /**
   * Wait before processing. The request is processed even where the caller has gone meanwhile: a late request.
   * Milliseconds.
   */
  delayMs?: number;
  /** Cut the connection instead of processing. */
  reset?: boolean;
  /** Process, then never answer: `hang` leaves the socket open, `destroy` cuts it. `true` is `destroy`. */
  timeoutAfterAcceptance?: boolean | "hang" | "destroy";
  /** Neither process nor answer; the socket stays open. */
  halfOpen?: boolean;
  /** Process, and answer with this content type. `true` is `text/html`. */
  wrongContentType?: boolean | string;
  /** Process, send this many bytes of the answer, then cut the connection. */
  truncate?: number;
}

/** Which requests a fault touches, and how often. Everything named must match. */
export interface FaultRule extends FaultAction {
  area?: Area;
  method?: string;
  /** The path, or its beginning; or a pattern over the whole path. */
  path?: string | RegExp;
  /** The id of a token as `inspect.tokens` lists it, or `oauth` / `conversions_token` for a kind. */
  token?: string;
  /** Part of the request's body, or a test of it. */
  bodyMatches?: string | ((body: string) => boolean);
  /** Let this many matching requests pass first. */
  after?: number;
  /** Touch at most this many. Default: no end. */
  count?: number;
  /** Share of matching requests touched. Default 1. */
  probability?: number;
  /** For `probability`. Default: the simulator's. */
  seed?: number;
}

/** A rule that is in force, and what it has struck. */
export interface FaultHandle {
  readonly id: string;
  /** Requests that matched, touched or not. */
  readonly matches: number;
  /** Requests that were touched. */
  readonly hits: number;
  /** Ends this rule. */
  remove(): void;
}

/** Failing on command. */
export interface Faults {
  /** Adds a rule. The first rule that touches a request wins. */
  add(rule: FaultRule): FaultHandle;
  readonly list: readonly FaultHandle[];
  /** Ends all rules. */
  clear(): void;
}

interface ActiveRule {
  rule: FaultRule;
  random: Random;
  handle: { id: string; matches: number; hits: number; remove(): void };
}

/** Who is calling, as far as it is known before processing. */
export interface Caller {
  area: Area;
  tokenId: string | undefined;
  tokenKind: string | undefined;
}

export function createFaults(random: Random): Faults & {
  pick(incoming: Incoming, caller: Caller): { id: string; action: FaultAction } | undefined;
} {
  let rules: ActiveRule[] = [];
  let added = 0;

  return {
    add(rule) {
      added += 1;
      const handle = {
        id: `fault-${added}`,
        matches: 0,
        hits: 0,
        remove() {
          rules = rules.filter((other) => other.handle !== handle);
        },
      };
      rules.push({ rule, random: rule.seed === undefined ? random : createRandom(rule.seed), handle });
      return handle;
    },
    get list() {
      return rules.map(({ handle }) => handle);
    },
    clear() {
      rules = [];
    },
    pick(incoming, caller) {
      for (const { rule, random: source, handle } of rules) {
        if (rule.count !== undefined && handle.hits >= rule.count) continue;
        if (!matches(rule, incoming, caller)) continue;
        handle.matches += 1;
        if (handle.matches <= (rule.after ?? 0)) continue;
        if (rule.probability !== undefined && source.next() >= rule.probability) continue;
        handle.hits += 1;
        return { id: handle.id, action: rule };
      }
      return undefined;
    },
  };
}

function matches(rule: FaultRule, incoming: Incoming, caller: Caller): boolean {
  if (rule.area !== undefined && rule.area !== caller.area) return false;
  if (rule.method !== undefined && rule.method.toUpperCase() !== incoming.method) return false;
  if (typeof rule.path === "string" && !incoming.path.startsWith(rule.path)) return false;
  if (rule.path instanceof RegExp && incoming.path.search(rule.path) < 0) return false;
  if (rule.token !== undefined && rule.token !== caller.tokenId && rule.token !== caller.tokenKind) return false;
  if (typeof rule.bodyMatches === "string" && !incoming.body.includes(rule.bodyMatches)) return false;
  if (typeof rule.bodyMatches === "function" && !rule.bodyMatches(incoming.body)) return false;
  return true;
}
