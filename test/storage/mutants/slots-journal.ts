import { patches } from "./mutant.ts";

export const slotsAndJournal = [
  ...patches("memory/journal.ts", {
    "journal: find answers lines newest first": ["lines.toReversed()", "lines"],
    "journal: find by id matches one of a line's ids exactly": [
      "!line.ids.has(o.id)",
      "![...line.ids].some((id) => id.startsWith(o.id ?? ''))",
    ],
    "journal: find keeps destinations apart": ["|| line.destinationId !== o.destinationId", ""],
    "journal: find between two ages": ["at - line.at < o.fromAgeMs || ", ""],
    "journal: find pages": ["line.seq >= before", "line.seq > before"],
    "journal: data are bytes, ids any text": ["new Set(ids)", "new Set(ids.map((id) => id.trim()))"],
    "journal: expire removes lines of that age, and answers false until none is left": [
      "return expired <= o.limit;",
      "return true;",
    ],
  }),
  ...patches("slot-log.ts", {
    "slots: a free key gives slots at once": ["let from = now;", "let from = now + 1;"],
    "slots: 1 to want slots, each as early as may be": [
      "for (let slot = 0; slot < want; slot++) {",
      "for (let slot = 0; slot < 1; slot++) {",
    ],
    "slots: the last slot lies at most 1,000 ms ahead": ["SLOT_HORIZON_MS = 1_000", "SLOT_HORIZON_MS = 1_500"],
    "slots: none that soon: retryInMs and the key that blocks": ["blockedBy = scope.key;\n", "\n"],
    "slots: after retryInMs there is a slot": [
      "found.at - SLOT_HORIZON_MS - now,",
      "found.at - SLOT_HORIZON_MS - now - 100,",
    ],
    "slots: all scopes or none: a slot that one scope refuses costs the others nothing": [
      "if (slot > 0) break;",
      "if (slot > 0) break;\n      for (const log of logs) insert(log.times, now);",
    ],
    "slots: a slot keeps all scopes at once": [
      "for (let moved = true; moved; ) {\n    moved = false;",
      "for (let moved = true; moved; ) {\n    moved = false; at = Math.max(at, ...logs.map((l) => l.times.at(-1) ?? 0));",
    ],
    "slots: each call is judged by the numbers it brings": [
      "const { perWindow, windowMs } = scope;",
      "const windowMs = scope.windowMs; const perWindow = log.perWindow || scope.perWindow;",
    ],
    "slots: block: no new slot of the key before then": ["Math.max(at, log.blockedUntil)", "at"],
    "slots: of two blocks the later end counts": ["Math.max(log.blockedUntil, until)", "until"],
    "slots: slots already given stay good after a block, and still count": [
      "log.blockedUntil = Math.max(log.blockedUntil, until);",
      "log.blockedUntil = Math.max(log.blockedUntil, until); log.times = [];",
    ],
    "slots: calls at once share the limit": [
      "for (const log of new Set(logs)) insert(log.times, found.at);",
      "if (logs[0]?.times.length !== 3) for (const log of new Set(logs)) insert(log.times, found.at);",
    ],
    "slots: in no interval of windowMs, wherever it begins, lie more slots than perWindow": [
      "if (end - begin < windowMs && candidate < begin + windowMs) candidate = begin + windowMs;",
      "if (Math.floor(begin / windowMs) === Math.floor(candidate / windowMs)) candidate = (Math.floor(candidate / windowMs) + 1) * windowMs;",
    ],
    "slots: slots lie on the window's seam as nowhere else": [
      "if (end - begin < windowMs && candidate < begin + windowMs) candidate = begin + windowMs;",
      "if (Math.floor(begin / windowMs) === Math.floor(candidate / windowMs)) candidate = (Math.floor(candidate / windowMs) + 1) * windowMs;",
    ],
  }),
  ...patches("memory/slots.ts", {
    "slots: keys do not touch each other": [
      "logs.get(key) ?? emptySlotLog()",
      "[...logs.values()][0] ?? emptySlotLog()",
    ],
  }),
];
