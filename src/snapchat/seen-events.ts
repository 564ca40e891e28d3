import type { Clock } from "../clock.ts";
import type { CanonicalEvent } from "../rules/event.ts";
import { foldName } from "../rules/fold.ts";
import type { Rule } from "../rules/workflow.ts";
import type { Records } from "../storage/ports.ts";
import { hidesPerson, type SeenEvent } from "../workflow/index.ts";
import { createGathered } from "./gathered.ts";

/** Names by their folded form: as spelled last, how often, when last (ms since 1970). */
type Names = Record<string, [name: string, count: number, lastSeenMs: number]>;

const DAY_MS = 86_400_000;
/** Unseen for so long, a name is forgotten. */
const KEPT_MS = 90 * DAY_MS;
/** Names of one tenant; of more the most frequent stay. An attacker can send any number. */
const MOST = 500;
/** In memory, between two writes. */
const MOST_PENDING = 1_000;

const keyOf = (tenantId: string) => `seen/${encodeURIComponent(tenantId)}`;

/** The names of a tenant's events, with counts: what the event screen offers to map. Names only, never contents. */
export interface SeenEvents {
  note(tenantId: string, event: CanonicalEvent, rules: readonly Rule[]): void;
  list(tenantId: string): Promise<SeenEvent[]>;
  flush(): Promise<void>;
  forget(tenantId: string): Promise<void>;
}

export function createSeenEvents({ records, clock }: { records: Records; clock: Clock }): SeenEvents {
  const gathered = createGathered<Names>({
    records,
    clock,
    ttlMs: KEPT_MS,
    merge: (stored, pending) => trimmed(joined(stored, pending), clock.now()),
  });
  const folded = createFolded();

  return {
    note(tenantId, event, rules) {
      const nowMs = clock.now();
      for (const name of namesOf(event, rules)) {
        const fold = folded(name);
        if (fold === undefined) continue;
        gathered.add(keyOf(tenantId), (pending = Object.create(null) as Names) => {
          const known = pending[fold];
          if (known) {
            known[1] += 1;
            known[2] = nowMs;
          } else if (Object.keys(pending).length < MOST_PENDING) pending[fold] = [name, 1, nowMs];
          return pending;
        });
      }
    },
    async list(tenantId) {
      const names = (await gathered.read(keyOf(tenantId))) ?? {};
      return Object.values(trimmed(names, clock.now()))
        .map(([name, count, lastSeenMs]): SeenEvent => ({ name, count, lastSeenMs }))
        .sort((a, b) => (b.count ?? 0) - (a.count ?? 0) || (a.name < b.name ? -1 : 1));
    },
    flush: gathered.flush,
    forget: (tenantId) => gathered.forget(keyOf(tenantId)),
  };
}

const NONE: readonly string[] = [];

/** Calls about a person are no events; a change of membership counts for its row, whatever the event was called. */
function namesOf(event: CanonicalEvent, rules: readonly Rule[]): readonly string[] {
  if (event.audiences.length > 0) {
    const changed = new Set(event.audiences.map(({ op }) => `segment:${op}`));
    const rows = rules.filter(({ to }) => changed.has(to)).map(({ on }) => on);
    if (rows.length > 0) return rows;
  }
  return event.name === "" || event.kind === "identify" || event.kind === "group" ? NONE : [event.name];
}

/** The folded form of a name that may be kept, remembered: `undefined` for one that may name a person. */
function createFolded(): (name: string) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (name) => {
    if (known.has(name)) return known.get(name);
    const kept = name.length <= 200 && !hidesPerson(name) ? foldName(name) || undefined : undefined;
    if (known.size >= 2_000) known.clear();
    known.set(name, kept);
    return kept;
  };
}

function joined(stored: Names, pending: Names): Names {
  const names: Names = Object.assign(Object.create(null), stored);
  for (const [fold, [name, count, lastSeenMs]] of Object.entries(pending)) {
    const known = names[fold];
    names[fold] = [name, count + (known?.[1] ?? 0), Math.max(lastSeenMs, known?.[2] ?? 0)];
  }
  return names;
}

function trimmed(names: Names, nowMs: number): Names {
  const fresh = Object.entries(names).filter(([, [, , lastSeenMs]]) => nowMs - lastSeenMs < KEPT_MS);
  if (fresh.length > MOST) {
    fresh.sort(([, a], [, b]) => b[1] - a[1] || b[2] - a[2]);
    fresh.length = MOST;
  }
  return Object.fromEntries(fresh);
}
