import type { Receipt } from "snapchat-destination";

type Rows = (readonly [string, string | number])[];

export interface Balance {
  hostEvents: Rows;
  snapEvents: Rows;
  memberships: Rows;
  faults: Rows;
  /** What does not add up, in words; empty is good. */
  wrong: string[];
  summary: Record<string, number>;
}

interface State {
  events: { server: { received: number; counted: number; duplicates: number; rejected: number } };
  requests: { total: number };
  segments: unknown[];
  faults: { id: string; hits: number }[];
}

export interface Ledger {
  receipts: readonly Receipt[];
  /** Segment key → digests that must be held, from the script that made the shoppers. */
  expected: Map<string, { email: Set<string>; phone: Set<string> }>;
  /** The simulator's own totals. */
  state: State;
  /** Every event the simulator received from the server. */
  events: readonly { eventId?: string; outcome: string }[];
  members: Map<string, { email: string[]; phone: string[] }>;
  deadLetters: number;
  faults: number;
}

/** Adds up what was offered, what the receipts say and what Snapchat has. */
export function balanceOf(ledger: Ledger): Balance {
  const { receipts, state } = ledger;
  const wrong: string[] = [];
  const expect = (what: string, actual: number, wanted: number) => {
    if (actual !== wanted) wrong.push(`${what}: ${actual} instead of ${wanted}`);
  };

  const outcome = { delivered: 0, skipped: 0, rejected: 0 };
  const reasons = new Map<string, number>();
  const sent = new Set<string>();
  const memberOperations = { added: 0, removed: 0 };
  for (const receipt of receipts) {
    const status = receipt.status === "queued" || receipt.status === "duplicate" ? "delivered" : receipt.status;
    outcome[status] += 1;
    if (status !== "delivered") {
      const part = receipt.parts.find((candidate) => candidate.status === receipt.status);
      const reason = `  ${receipt.status}: ${part?.reason ?? "no_rule"}`;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    for (const part of receipt.parts) {
      if (part.status !== "queued") continue;
      if (part.channel === "server") sent.add(receipt.eventId ?? "");
      else memberOperations[part.rule.includes("removed") ? "removed" : "added"] += 1;
    }
  }
  expect("host events delivered", outcome.delivered, sent.size + memberOperations.added + memberOperations.removed);
  expect("host events with an outcome", outcome.delivered + outcome.skipped + outcome.rejected, receipts.length);

  const counted = new Map<string, number>();
  for (const event of ledger.events) {
    if (event.outcome === "counted") counted.set(event.eventId ?? "", (counted.get(event.eventId ?? "") ?? 0) + 1);
  }
  const duplicates = [...counted.values()].reduce((sum, times) => sum + times - 1, 0);
  const lost = [...sent].filter((id) => !counted.has(id)).length;
  const unknown = [...counted.keys()].filter((id) => !sent.has(id)).length;
  expect("Snap events counted", state.events.server.counted, sent.size);
  expect("Snap events counted twice", duplicates, 0);
  expect("Snap events lost", lost, 0);
  expect("Snap events nobody sent", unknown, 0);
  expect("Snap events refused", state.events.server.rejected, 0);
  expect("dead letters", ledger.deadLetters, 0);

  let held = 0;
  expect("segments", ledger.members.size, ledger.expected.size);
  for (const [key, wanted] of ledger.expected) {
    for (const kind of ["email", "phone"] as const) {
      const have = new Set(ledger.members.get(key)?.[kind] ?? []);
      held += have.size;
      expect(`${kind} members missing in ${key}`, [...wanted[kind]].filter((hash) => !have.has(hash)).length, 0);
      expect(`${kind} members too many in ${key}`, [...have].filter((hash) => !wanted[kind].has(hash)).length, 0);
    }
  }

  const struck = state.faults.reduce((sum, fault) => sum + fault.hits, 0);
  expect("faults that struck", struck, ledger.faults);

  return {
    hostEvents: [
      ["offered", receipts.length],
      ["delivered", outcome.delivered],
      ["  as Snap events", sent.size],
      ["  as changes of a membership", memberOperations.added + memberOperations.removed],
      ["skipped", outcome.skipped],
      ["rejected", outcome.rejected],
      ...[...reasons].sort((a, b) => b[1] - a[1]),
    ],
    snapEvents: [
      ["sent", sent.size],
      ["counted by Snapchat", state.events.server.counted],
      ["sent again after a fault, counted once", state.events.server.duplicates],
      ["duplicates", duplicates],
      ["lost", lost],
    ],
    memberships: [
      ["added", memberOperations.added],
      ["removed", memberOperations.removed],
      ["segments", ledger.members.size],
      ["identifiers held at Snapchat", held],
      ["equal to the expected sets", wrong.some((line) => line.includes("members")) ? "no" : "yes"],
    ],
    faults: [["requests hit", struck]],
    wrong,
    summary: {
      received: receipts.length,
      delivered: outcome.delivered,
      skipped: outcome.skipped,
      rejected: outcome.rejected,
      lost,
      duplicates,
      requests: state.requests.total,
      segments: ledger.members.size,
      membersAdded: memberOperations.added,
      membersRemoved: memberOperations.removed,
    },
  };
}
