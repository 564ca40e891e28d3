import { patches } from "./mutant.ts";

export const settle = [
  ...patches("memory/settle.ts", {
    "outbox: extend moves the end of the lease, from now": ["open.leaseUntil = at + leaseMs;", ""],
    "outbox: extend also shortens, because it counts from now": [
      "open.leaseUntil = at + leaseMs;",
      "open.leaseUntil = Math.max(open.leaseUntil, at + leaseMs);",
    ],
    "outbox: extend keeps a claim whose lease ran out and that nobody took": [
      'if (open.state === "expired") {',
      'if (open.state === "expired") return true;\n  if (open.state === "expired") {',
    ],
    "outbox: settle with rest begins the count of claims anew": ["entry.claims = 0;", ""],
    "outbox: entries not named return to ready, their claims not reset": [
      "backToReady(open.group, entry, at);\n      continue;",
      "entry.claims = 0; backToReady(open.group, entry, at);\n      continue;",
    ],
    "outbox: a lease that ran out and that nobody took still settles": [
      'return open?.state === "open" || open?.state === "expired" ? open : undefined;',
      'return open?.state === "open" ? open : undefined;',
    ],
    "outbox: settle repeated within its lease is settled again, and nothing changes": [
      'if (state.claims.get(claim.id)?.state === "settled") return "settled";',
      "",
    ],
    "outbox: settles at once of one claim: applied once": [
      'if (state.claims.get(claim.id)?.state === "settled") return "settled";',
      'if (state.claims.get(claim.id)?.state === "settled") { const one = state.claims.get(claim.id); for (const item of outcomes[0]?.dead ?? []) if (one?.entries[0]) addDead(state, one.group, one.entries[0], item, at); return "settled"; }',
    ],
    "outbox: of two holds the later end counts": ["Math.max(group.holdUntil, at + holdGroupMs)", "at + holdGroupMs"],
    "outbox: release counts neither the claim nor the turn": ["open.group.tenant.virtualTime--;", ""],
    "outbox: release keeps entries, payload and progress, and the claim is over": ["entry.claims--;", ""],
    "outbox: dead items of an entry whose other items go on": [
      "if (outcome.rest) {",
      "if (outcome.rest && !outcome.dead) {",
    ],
    "outbox: a claim that was open when its group was paused still settles": [
      "const open = state.claims.get(claim.id);",
      "const open = state.claims.get(claim.id); if (open?.group.paused) return undefined;",
    ],
  }),
  ...patches("checks.ts", {
    "outbox: an id that is not in the claim is an error, and nothing is settled": [
      "if (!inClaim.has(outcome.id)) {",
      "if (false) {",
    ],
  }),
  ...patches("memory/keeping.ts", {
    "outbox: lost when its entries were buried": ["lose(state, entry.claim);\n      addDead", "addDead"],
    "outbox: lost when its entries were purged": ["lose(state, entry.claim);\n      forget", "forget"],
    "outbox: reasons are a set: claims go on when the last is resumed": [
      "if (on) state.pauses.set(key, { target: { ...target }, reason });\n  else state.pauses.delete(key);",
      "if (on) state.pauses.set(key, { target: { ...target }, reason });\n  else for (const [k, p] of state.pauses) if (isMeant(target, { tenantId: '', exclusive: false, name: '', destinationId: '', credentialId: '', ...p.target })) state.pauses.delete(k);",
    ],
    "outbox: reasons of different targets do not resume each other": [
      "else state.pauses.delete(key);",
      "else for (const [k, p] of state.pauses) if (p.reason === reason) state.pauses.delete(k);",
    ],
    "outbox: dead letters are listed newest first, in pages": [
      "[...state.dead.values()].reverse()",
      "[...state.dead.values()]",
    ],
    "outbox: dead letters are listed by destination, reason and age": [
      "at - letter.diedAt > o.maxAgeMs",
      "at - letter.diedAt < o.maxAgeMs",
    ],
    "outbox: dead.delete removes letters of that destination and counts them": [
      "if (letter?.group.group.destinationId === o.destinationId && state.dead.delete(letter.seq)) deleted++;",
      "if (letter && state.dead.delete(letter.seq)) deleted++;",
    ],
    "outbox: bury makes unclaimed entries dead letters whole, paused or not": [
      'if (entry.place === "claimed") continue;',
      "",
    ],
    "outbox: bury keeps an entry's progress, as the detail of its letter": ["entry.progress ?? NOTHING", "NOTHING"],
    "outbox: bury buries what waits for a retry, too": [
      'if (entry.place === "claimed") continue;',
      'if (entry.place !== "ready") continue;',
    ],
    "outbox: bury has a limit and answers false until none is left": [
      "if (buried === o.limit) return false;",
      "if (buried === o.limit) return true;",
    ],
    "outbox: bury keeps to its target": [
      "for (const group of targeted(state, target)) {\n    for (const entry",
      "for (const group of state.groups.values()) {\n    for (const entry",
    ],
    "outbox: bury with olderThanMs leaves younger entries": [
      "if (o.olderThanMs !== undefined && at - entry.createdAt <= o.olderThanMs) continue;",
      "",
    ],
    "outbox: expire removes dead letters of that age, and answers false until none is left": [
      "if (at - letter.diedAt <= o.deadOlderThanMs) continue;",
      "",
    ],
    "outbox: purge forgets entries, dead letters and groups of the destination, and answers false until nothing is left":
      ["if (letter.group !== group) continue;", "continue;"],
    "outbox: purge half done leaves other tenants' turns alone": [
      "if (removed === limit) return false;\n      lose",
      "if (removed === limit) { for (const t of state.tenants.values()) t.groups.clear(); return false; }\n      lose",
    ],
    "outbox: after a purge a group opened again is empty and takes the same ids": [
      "group.tenant.groups.delete(group);\n    state.groups.delete(key);",
      "",
    ],
  }),
  ...patches("memory/depth.ts", {
    "outbox: depth answers the named destinations, or all": [
      "if (destinationIds && !destinationIds.includes(destinationId)) return undefined;",
      "",
    ],
    "outbox: depth knows the age of the oldest entry": [
      "const [oldest] = group.entries.values();",
      "const oldest = [...group.entries.values()].at(-1);",
    ],
    "outbox: depth names the reasons of pauses, and counts dead letters by reason": [
      "(depth.dead[letter.reason] ?? 0) + 1",
      "1",
    ],
  }),
];
