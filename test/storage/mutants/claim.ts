import { patches } from "./mutant.ts";

export const claim = [
  ...patches("memory/claim.ts", {
    "outbox: not due: its credential is skipped": ["!o.skipCredentials?.includes(group.group.credentialId) &&", ""],
    "outbox: tenants that wait take turns": [
      "(tenant.virtualTime - best.virtualTime || tenant.servedAt - best.servedAt) >= 0",
      "best",
    ],
    "outbox: a tenant with a hundred times the work gets no more turns": [
      "tenant.virtualTime = state.virtualFloor + 1;",
      "tenant.virtualTime = state.virtualFloor + 1 / Math.max(1, [...tenant.groups].reduce((n, g) => n + g.entries.size, 0));",
    ],
    "outbox: a tenant with many groups is one tenant": [
      "tenant.virtualTime = state.virtualFloor + 1;",
      "tenant.virtualTime = state.virtualFloor + 1 / tenant.groups.size;",
    ],
    "outbox: a tenant that returns does not catch up on turns it did not want": [
      "state.virtualFloor = Math.max(state.virtualFloor, tenant.virtualTime);\n  tenant.virtualTime = state.virtualFloor + 1;",
      "tenant.virtualTime++;",
    ],
    "outbox: a tenant that returns is not behind either": [
      "(tenant.virtualTime - best.virtualTime || tenant.servedAt - best.servedAt)",
      "(Math.max(1, tenant.turns === 0 ? 1e9 : 1) - Math.max(1, best.turns === 0 ? 1e9 : 1) || tenant.virtualTime - best.virtualTime || tenant.servedAt - best.servedAt)",
    ],
    "outbox: in a tenant the lowest priority number comes first": [
      "(oldest ? 0 : entry.priority - best.entry.priority)",
      "(oldest ? 0 : best.entry.priority - entry.priority)",
    ],
    "outbox: of one priority the oldest comes first": [
      "|| entry.seq - best.entry.seq",
      "|| best.entry.seq - entry.seq",
    ],
    "outbox: every fourth claim of a tenant takes the oldest whatever its priority": [
      "tenant.turns % 4 === 3",
      "tenant.turns % 5 === 4",
    ],
    "outbox: a shared group gives its lowest priority numbers first": [
      "strict || oldest ? inPositionOrder(group, barrier) : inPriorityOrder(group)",
      "inPositionOrder(group, barrier)",
    ],
    "outbox: an exclusive group goes strictly by position, whatever the priority": [
      "strict || oldest ? inPositionOrder(group, barrier) : inPriorityOrder(group)",
      "inPriorityOrder(group)",
    ],
    "outbox: in an exclusive group one in the middle that waits holds what comes behind it": [
      "const barrier = strict ? positionBarrier(group, at) : undefined;",
      "const barrier = undefined;",
    ],
    "outbox: what a claim left behind lingers on if its own delay is not over": [
      "updateReadyAt(group, at);\n  countTurn",
      "countTurn",
    ],
    "outbox: claims at once never share an entry": ["unqueue(group, entry);\n    entry.place", "entry.place"],
    "outbox: nothing due is undefined": ["if (!tenant) return undefined;", 'if (!tenant) throw new Error("nothing");'],
    "outbox: the fence rises per group with every claim": ["group.fence++;", ""],
    "outbox: the fence does not go back when the group is purged and opened again": [
      "state.fences.set(groupKey(group.group), group.fence);",
      "",
    ],
    "outbox: the fence does not go back when the group is empty, nor after a restart": [
      "group.fence++;",
      "group.fence = group.entries.size > entries.length ? group.fence + 1 : 1;",
    ],
    "outbox: in a shared group an entry belongs to the claim that took it last": [
      "for (const entry of entries) lose(state, entry.claim);",
      "",
    ],
    "outbox: lost exactly when another claim has taken one of its entries, and then nothing is done": [
      "for (const entry of entries) lose(state, entry.claim);",
      "",
    ],
    "outbox: a lost claim leaves no dead letter": ["for (const entry of entries) lose(state, entry.claim);", ""],
    "outbox: a released claim of a lease that another took changes nothing": [
      "for (const entry of entries) lose(state, entry.claim);",
      "",
    ],
    "outbox: extend answers false when the claim is lost": [
      "for (const entry of entries) lose(state, entry.claim);",
      "",
    ],
    "outbox: in an exclusive group a claim is lost when another claim has taken the group": [
      "if (group.group.exclusive) for (const other of [...group.claims]) lose(state, other);",
      "",
    ],
    "outbox: extend answers false in an exclusive group whose claim is lost": [
      "if (group.group.exclusive) for (const other of [...group.claims]) lose(state, other);\n  for (const entry of entries) lose(state, entry.claim);",
      "",
    ],
    "outbox: a lost answer costs one lease and one count, nothing else": [
      "entry.claims++;",
      "entry.claims += entry.claims > 0 ? 2 : 1;",
    ],
    "outbox: a claim is counted durably before it is returned": ["entry.claims++;", "entry.claims = 1;"],
    "outbox: while paused nothing is counted": [
      "expireLeases(state, at);",
      "expireLeases(state, at); for (const g of state.groups.values()) if (g.paused) for (const e of g.entries.values()) e.claims++;",
    ],
    "outbox: ageMs counts from the append, over retries": ["ageMs: at - entry.createdAt,", "ageMs: at - entry.dueAt,"],
    "outbox: settle with rest: payload unchanged, progress replaced, ready again after retryInMs": [
      "...(entry.progress ? { progress: entry.progress.slice() } : {}),",
      "...(entry.progress?.byteLength ? { progress: entry.progress.slice() } : {}), payload: entry.progress?.slice() ?? entry.payload.slice(),",
    ],
    "outbox: a claim holds entries of one group": [
      "const entries = fill(candidates, { ...o, strict });",
      "const others = [...state.groups.values()].filter((g) => g !== group && isDue(g)); const entries = fill([...candidates, ...others.flatMap((g) => [...inPriorityOrder(g)])], { ...o, strict });",
    ],
  }),
  ...patches("memory/group.ts", {
    "outbox: entries come in position order": [
      "return taken.sort(byPosition);",
      "return taken.sort((a, b) => a.seq - b.seq);",
    ],
    "outbox: as many entries as fit maxItems": ["items + entry.items > o.maxItems ||", "items > o.maxItems ||"],
    "outbox: as many entries as fit maxBytes": ["|| bytes + entry.payload.byteLength > o.maxBytes", ""],
    "outbox: at least one entry, even if that one is over maxItems or maxBytes": ["if (taken.length > 0) {", "{"],
    "outbox: a shared group has any number of claims open": ["if (group.group.exclusive) {\n    for", "{\n    for"],
    "outbox: an exclusive group has at most one claim open": [
      'if (claim.state === "open") at = Math.max(at, claim.leaseUntil);',
      "claim;",
    ],
    "outbox: claims at once of an exclusive group: one": [
      'if (claim.state === "open") at = Math.max(at, claim.leaseUntil);',
      "claim;",
    ],
    "outbox: in an exclusive group a head that waits for its retry holds the group": [
      "if (barrier && !firstByPosition(group, barrier)) at = Math.max(at, barrier.dueAt);",
      "barrier;",
    ],
    "outbox: a first delay only says when the group becomes due: other never-claimed entries come along": [
      "for (const lane of group.ready) yield* lane;",
      "for (const lane of group.ready) for (const entry of lane) if (entry.dueAt <= group.readyAt) yield entry;",
    ],
    "outbox: an entry that waits for a retry comes when its own time is over": [
      'entry.place = "waiting";\n  entry.dueAt = dueAt;\n  group.waiting.add(entry);',
      "entry.dueAt = dueAt;\n  makeReady(group, entry);",
    ],
    "outbox: an entry claimed five times without a settle comes alone": [
      "const alone = entry.claims >= 5;",
      "const alone = o.strict && entry.claims >= 5;",
    ],
    "outbox: in an exclusive group an entry claimed five times comes alone, in its place": [
      "if (alone && o.strict) break;",
      "",
    ],
    "outbox: settle with a hold: the group is not due before it is over": ["Math.max(own, group.holdUntil)", "own"],
    "outbox: release with a hold": ["Math.max(own, group.holdUntil)", "own"],
  }),
];
