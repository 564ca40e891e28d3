import { checkGroup } from "../checks.ts";
import type { Outbox, Records } from "../ports.ts";
import { createAppend } from "./append.ts";
import { createClaims } from "./claim.ts";
import { createDeadStore, type DeadStore } from "./dead-store.ts";
import { dueAt } from "./group.ts";
import { createGroupStore, each } from "./group-store.ts";
import { createBury, createDepth, createPurge } from "./keeping.ts";
import { createPauses } from "./pauses.ts";
import { createTurns } from "./turns.ts";

/** How often a waiting worker returns to look what other processes have stored. */
const LOOK_MS = 1_000;

export function recordsOutbox(
  records: Records,
  o: { name: string; maxValueBytes: number; maxEntryBytes: number; alone: boolean },
): Outbox {
  let changes = 0;
  let seen = { changes: -1, at: 0 };
  const waiting = new Set<() => void>();
  const onChange = () => {
    changes++;
    for (const done of [...waiting]) done();
  };
  const { maxValueBytes } = o;
  const confirm: DeadStore["confirm"] = (blocks) => dead.confirm(blocks);
  const groups = createGroupStore(records, { maxValueBytes, onChange, confirm });
  const dead = createDeadStore(records, groups, maxValueBytes);
  const pauses = createPauses(records, groups);
  const claims = createClaims(records, groups, dead, createTurns());

  /** Until something known becomes due that was not when the last claim found nothing. */
  async function nextDueMs(): Promise<number> {
    const at = await records.now();
    let next = Infinity;
    for (const { state } of (await groups.all(Infinity)).values()) {
      const due = dueAt(state, at);
      if (due > seen.at) next = Math.min(next, due);
    }
    return next - at;
  }

  return {
    async open(list) {
      list.forEach(checkGroup);
      await each(list.length, async (index) => {
        const group = list[index];
        if (group) await groups.open({ ...group }, pauses.reasonsOf);
      });
    },
    append: createAppend(records, groups, o),
    ...claims,
    async claim(options) {
      const before = changes;
      const claim = await claims.claim(options);
      if (!claim) seen = { changes: before, at: await records.now() };
      return claim;
    },
    pause: (target, reason) => pauses.set(target, reason, true),
    resume: (target, reason) => pauses.set(target, reason, false),
    async wait({ maxMs, signal }) {
      if (signal.aborted || seen.changes !== changes) return;
      const dueInMs = await nextDueMs();
      if (signal.aborted || seen.changes !== changes || dueInMs <= 0) return;
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          waiting.delete(done);
          signal.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, Math.min(maxMs, dueInMs, o.alone ? Infinity : LOOK_MS));
        waiting.add(done);
        signal.addEventListener("abort", done, { once: true });
      });
    },
    depth: createDepth(records, groups),
    dead: { list: dead.list, delete: dead.delete },
    bury: createBury(records, groups, dead),
    expire: ({ deadOlderThanMs, limit }) => dead.expire(deadOlderThanMs, limit),
    purge: createPurge(records, groups, dead, pauses),
  };
}
