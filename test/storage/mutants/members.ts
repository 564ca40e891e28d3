import { patches } from "./mutant.ts";

export const members = [
  ...patches("member-rules.ts", {
    "members: diff: an add of what is not held has bit 1, of what is held 0": [
      "if (after !== hash.before)",
      "if (after)",
    ],
    "members: diff: a remove of what is held has bit 1, of what is not held 0": [
      "if (after !== hash.before) setBit(bits, after ? hash.adds : hash.removes);",
      "if (after !== hash.before || !after) setBit(bits, after ? hash.adds : hash.removes);",
    ],
    "members: diff: exactly one operation of a direction has bit 1": [
      "const key = hashKey(op);\n    let hash",
      "const key = hashKey(op) + index;\n    let hash",
    ],
    "members: diff judges operations together: an add and a later remove come to nothing": [
      "const after = isHeld(hash.rows);",
      "const after = hash.adds > hash.removes || (hash.removes < 0 && isHeld(hash.rows)) || (hash.adds >= 0 && !hash.before);",
    ],
    "members: diff keeps kinds apart": ["return op.kind + Buffer", 'return "" + Buffer'],
    "members: bit i is byte i>>3, value 1<<(i&7)": [
      "bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));",
      "bits[index >> 3] = (bits[index >> 3] ?? 0) | (128 >> (index & 7));",
    ],
    "members: the last position wins, in whatever order they are committed": [
      "if (position < row.position) return;",
      "",
    ],
    "members: diff, too, ignores operations older than their row": ["if (position < row.position) return;", ""],
    "members: of equal positions the remove wins": [
      "|| (op.position === row.position && !row.present)) return;",
      ") return;",
    ],
    "members: a hash is held while any person's row of it is present": [
      "for (const row of rows.values()) if (row.present) return true;\n  return false;",
      "let last = false;\n  for (const row of rows.values()) last = row.present;\n  return last;",
    ],
    "members: an add without a person is the nobody row, beside every person's": [
      "const row = rows.get(person) ?? { ...absent(person, -1, 0) };",
      "if (person !== NOBODY) rows.delete(NOBODY); const row = rows.get(person) ?? { ...absent(person, -1, 0) };",
    ],
    "members: a remove without a person is every person's row": [
      "for (const row of rows.values()) removeRow(row, op.position, o.at);",
      "for (const row of rows.values()) if (row.person === NOBODY) removeRow(row, op.position, o.at);",
    ],
    "members: a remove of everybody leaves rows of later positions": [
      "for (const row of rows.values()) removeRow(row, op.position, o.at);",
      "for (const row of rows.values()) row.present = false;",
    ],
    "members: a remove of everybody also outlasts older adds that come later": [
      "if ((rows.get(NOBODY)?.removedAllAt ?? -1) >= op.position) return;",
      "",
    ],
    "members: diff: renew an add that was sent longer ago than renewAfterMs": [
      "else if (renew && hash.adds >= 0) setBit(bits, hash.adds);",
      "",
    ],
    "members: renewal after 30 days": ["o.at - hash.sentAt > o.renewAfterMs", "o.at - hash.sentAt >= o.renewAfterMs"],
    "members: commit: only operations that were sent move sentAt": [
      "if (o.sent) row.sentAt = o.at;",
      "row.sentAt = o.at;",
    ],
    "members: commit repeated changes nothing": [
      "const row = rows.get(person) ?? { ...absent(person, -1, 0) };",
      "const row = rows.get(person) ?? { ...absent(person, -1, 0) }; if (row.present && row.position === op.position) { rows.delete(person); return; }",
    ],
    "members: a row seen in a later run belongs to that run": [
      "if (o.run !== undefined) row.run = o.run;",
      "if (o.run !== undefined) row.run ??= o.run;",
    ],
    "members: a remove leaves a row that is not present, until expire()": [
      "else rows.set(person, absent(person, op.position, o.at));",
      "",
    ],
  }),
  ...patches("memory/members.ts", {
    "members: diff reads only": [
      "copy(segment?.hashes.get(hashKey(op))?.rows)",
      "segment?.hashes.get(hashKey(op))?.rows ?? new Map()",
    ],
    "members: diff keeps segments apart": [
      "JSON.stringify([ref.tenantId, ref.destinationId, ref.link])",
      "JSON.stringify([ref.tenantId, ref.destinationId])",
    ],
    "members: commit takes all operations, sent or not": [
      "applyOp(found.rows, op, {",
      "if (hasBit(o.sent, index)) applyOp(found.rows, op, {",
    ],
    "members: commit is lost if a higher fence has committed, and then nothing is done": [
      'if (o.fence < segment.fence) return "lost";',
      "",
    ],
    "members: scan with a limit of 10,000 answers every row once": [
      "const page = found.slice(0, o.limit);",
      "const page = found.slice(0, o.limit - (o.limit === 10_000 ? 1 : 0));\n      if (page.length === 9_999) return { items: page.map(({ row }) => row) };",
    ],
    "members: scan pages through all present rows once": ["key > after)", "key >= after)"],
    "members: scan answers kind, hash, person and position": ["position: row.position,\n", "position: 0,\n"],
    "members: filters: run, notSeenIn, positionBefore, person, and joined by AND": [
      "row.position >= filter.positionBefore",
      "row.position > filter.positionBefore",
    ],
    "members: filter sentBeforeMs: sent longer ago than that": [
      "at - lastSentAt(rows) <= filter.sentBeforeMs",
      "lastSentAt(rows) > filter.sentBeforeMs",
    ],
    "members: find answers the segments of the tenant that hold a hash": [
      "if (segment.ref.tenantId !== tenantId) continue;",
      "",
    ],
    "members: drop forgets the segment's rows, not its fence": [
      "segments.get(keyOf(ref))?.hashes.clear();",
      "segments.delete(keyOf(ref));",
    ],
    "members: links of any name": [
      "segment: { ...segment.ref }",
      'segment: { ...segment.ref, link: segment.ref.link.replaceAll("\\0", "") }',
    ],
  }),
  ...patches("checks.ts", {
    "members: 10,000 operations in one call": ["MAX_MEMBER_OPS = 10_000", "MAX_MEMBER_OPS = 9_999"],
  }),
];
