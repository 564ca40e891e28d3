import { patches } from "./mutant.ts";

export const append = [
  ...patches("memory/append.ts", {
    "outbox: open is idempotent": ["open.group = { ...group };", "open.entries.clear(); open.group = { ...group };"],
    "outbox: open overwrites all but the identity, for entries already queued too": [
      "open.group = { ...group };",
      "open.group = { ...group, credentialId: open.group.credentialId };",
    ],
    "outbox: open makes a shared group exclusive, and back": [
      "open.group = { ...group };",
      "open.group = { ...group, exclusive: open.group.exclusive };",
    ],
    "outbox: append to a group never opened is unknown_group": [
      "if (!group) throw unknownGroup(entry.group.destinationId, entry.group.name);",
      'if (!group) { openGroup(state, { tenantId: "t", exclusive: false, credentialId: "c", ...entry.group }); return state.groups.get(groupKey(entry.group)); }',
    ],
    "outbox: append takes entries of any groups and answers in order": [
      "return entries.map((entry, index) => appendEntry(state, groups[index] as GroupState, entry, at));",
      "const a = entries.map((entry, index) => appendEntry(state, groups[index] as GroupState, entry, at)); return a.sort((x, y) => (x.status < y.status ? -1 : 1));",
    ],
    "outbox: append is all or none over all groups where the engine has transactions": [
      "const groups = entries.map((entry) => {\n    const group = state.groups.get(groupKey(entry.group));",
      "const groups = entries.map((entry) => {\n    const group = state.groups.get(groupKey(entry.group));\n    if (group && entries.length > 1) appendEntry(state, group, entry, at);",
    ],
    "outbox: the same id while stored is a duplicate with the first one's position": [
      'if (stored) return { status: "duplicate", position: stored.position };',
      'if (stored) return { status: "duplicate", position: entry.position ?? stored.position };',
    ],
    "outbox: the same id twice in one call is a duplicate": [
      'if (stored) return { status: "duplicate", position: stored.position };',
      'if (stored) return { status: stored.seq === state.lastSeq ? "stored" : "duplicate", position: stored.position };',
    ],
    "outbox: the same id in calls at once is stored once": [
      'if (stored) return { status: "duplicate", position: stored.position };',
      'if (stored) return { status: "duplicate", position: ++state.lastSeq };',
    ],
    "outbox: the same id within dedupeMs after it left is a duplicate with the first one's position": [
      'if (gone && gone.until > at) return { status: "duplicate", position: gone.position };',
      'if (gone && gone.until > at) return { status: "duplicate", position: ++state.lastSeq };',
    ],
    "outbox: the same id later than dedupeMs after it left is stored": ["if (gone && gone.until > at)", "if (gone)"],
    "outbox: dedupeMs is 0 by default": ["dedupeMs: entry.dedupeMs ?? 0,", "dedupeMs: entry.dedupeMs ?? 60_000,"],
    "outbox: dedupe of 48 hours ends after 48 hours": [
      "if (gone && gone.until > at)",
      "if (gone && gone.until > at + 1)",
    ],
    "outbox: position rises per group": [
      "position: entry.position ?? seq,",
      "position: entry.position ?? Math.floor(seq / 4),",
    ],
    "outbox: position rises after a restart and after the group was empty": [
      "position: entry.position ?? seq,",
      "position: entry.position ?? group.entries.size,",
    ],
    "outbox: a given position is kept, the counter unmoved": ["position: entry.position ?? seq,", "position: seq,"],
    "outbox: replay keeps the position, and is safe to repeat": ["position: entry.position ?? seq,", "position: seq,"],
    "outbox: not due: its delay is not over": ["dueAt: at + (entry.delayMs ?? 0),", "dueAt: at,"],
    "outbox: a delay ends when it is over, not before": [
      "dueAt: at + (entry.delayMs ?? 0),",
      "dueAt: at + Math.max(0, (entry.delayMs ?? 0) - 1),",
    ],
    "outbox: a claim brings what was appended": ["items: entry.items,", "items: 1,"],
    "outbox: a pause survives open() and entries appended later": [
      "updatePaused(state, open);",
      "open.paused = false;",
    ],
    "outbox: a pause that came before the group is opened counts": [
      "updatePaused(state, open);",
      "if (open.entries.size > 0) updatePaused(state, open);",
    ],
    "outbox: depth counts entries, items and bytes, whatever their state": [
      "group.items += added.items;",
      "group.items += 1;",
    ],
    "rules: ids are at most 200 bytes of any UTF-8: as tenants, destinations, groups and credentials": [
      "open.group = { ...group };",
      'open.group = { ...group, credentialId: group.credentialId.replaceAll("\\0", "") };',
    ],
  }),
  ...patches("checks.ts", {
    "rules: a record key of 2,000 bytes is taken, a longer one is refused with too_large": [
      "MAX_KEY_BYTES = 2_000",
      "MAX_KEY_BYTES = 1_999",
    ],
    "outbox: append takes 1,000 entries and refuses more": ["MAX_ENTRIES = 1_000", "MAX_ENTRIES = 1_001"],
  }),
  ...patches("memory/outbox.ts", {
    "outbox: append is all or none per group": [
      "checkEntries(entries, o.maxEntryBytes);",
      "for (const entry of entries) { checkEntries([entry], o.maxEntryBytes); appendEntries(state, [entry], now()); }",
    ],
    "outbox: wait returns when work may be ready": [
      "const answers = appendEntries(state, entries, now());\n      wake();",
      "const answers = appendEntries(state, entries, now());",
    ],
    "outbox: claims skip what is paused, by destination, group or credential": [
      "setPause(state, target, reason, true)",
      '"group" in target ? undefined : setPause(state, target, reason, true)',
    ],
  }),
  ...patches("memory/state.ts", {
    "outbox: an id belongs to its group": [
      "return JSON.stringify([group.destinationId, group.name]);",
      "return JSON.stringify([group.destinationId]);",
    ],
    "rules: ids that engines could mistake for each other stay apart": [
      "group.entries.delete(entry.id);",
      "group.entries.delete(entry.id.normalize());",
    ],
    "outbox: dedupe counts from when it left as a dead letter, too": [
      "if (entry.dedupeMs > 0) group.left",
      'if (entry.dedupeMs > 0 && entry.place !== "ready") group.left',
    ],
    "outbox: a lease ends when it is over, not before": [
      "if (claim.leaseUntil > at) continue;",
      "if (claim.leaseUntil >= at) continue;",
    ],
    "outbox: settle repeated within its lease is settled again after the entries went on": [
      "if (claim.leaseUntil > at) continue;\n    if (claim.state ===",
      "if (claim.state ===",
    ],
    "outbox: settle without rest: the entry is gone": ["group.entries.delete(entry.id);", ""],
    "outbox: a stale claim that was settled by its successor is lost": [
      'claim.state = "lost";\n  claim.group.claims.delete(claim);\n  state.claims.delete(claim.id);',
      'claim.state = "settled";',
    ],
    "outbox: a paused credential stops only its own work": [
      "return target.credentialId === group.credentialId;",
      "return true;",
    ],
  }),
  ...patches("memory/wait.ts", {
    "outbox: wait returns when a delay, a hold or a lease is over": ["Math.min(maxMs, dueInMs)", "maxMs"],
    "outbox: wait returns after maxMs, and when it is aborted": [
      'signal.addEventListener("abort", done, { once: true });',
      "",
    ],
  }),
];
