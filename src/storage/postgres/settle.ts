import { outcomesById } from "../checks.ts";
import { escapeText } from "../escape.ts";
import type { Claim, Outbox, Outcome } from "../ports.ts";
import type { Database } from "./database.ts";
import { pack, plainList, textList } from "./lists.ts";

const NONE = new Uint8Array();

export function settler(db: Database): Pick<Outbox, "extend" | "settle" | "release"> {
  return {
    async extend(claim, leaseMs) {
      const cid = cidOf(claim);
      return cid !== undefined && (await db.ask("claim_extend", db.clock(), cid, Math.ceil(leaseMs))) === true;
    },

    async settle(claim, outcomes, o = {}) {
      const named = [...outcomesById(claim, outcomes).values()];
      const cid = cidOf(claim);
      if (cid === undefined) return "lost";
      const end = await db.ask("claim_settle", db.clock(), cid, holdMs(o), ...settleValues(named));
      db.wrote();
      return end === "settled" ? "settled" : "lost";
    },

    async release(claim, o = {}) {
      const cid = cidOf(claim);
      if (cid === undefined) return;
      await db.ask("claim_release", db.clock(), cid, holdMs(o));
      db.wrote();
    },
  };
}

function settleValues(outcomes: readonly Outcome[]) {
  const progress = pack(outcomes.map(({ rest }) => rest?.progress ?? NONE));
  const dead = outcomes.flatMap(({ id, dead = [] }) => dead.map((item) => ({ id, ...item })));
  const letters = pack(dead.flatMap(({ payload, detail }) => [payload, detail]));
  let start = 1;
  const starts = dead.map(({ payload, detail }) => {
    const at = start;
    start += payload.byteLength + detail.byteLength;
    return at;
  });
  return [
    textList(outcomes.map(({ id }) => escapeText(id))),
    plainList(outcomes.map(({ rest }) => rest && Math.max(0, Math.ceil(rest.retryInMs)))),
    progress.offsets,
    progress.sizes,
    progress.bytes,
    textList(dead.map(({ id }) => escapeText(id))),
    plainList(dead.map(({ itemIndex }) => itemIndex)),
    textList(dead.map(({ reason }) => escapeText(reason))),
    plainList(starts),
    plainList(dead.map(({ payload }) => payload.byteLength)),
    plainList(dead.map(({ detail }) => detail.byteLength)),
    letters.bytes,
  ];
}

function holdMs({ holdGroupMs }: { holdGroupMs?: number }): number | null {
  return holdGroupMs === undefined ? null : Math.ceil(holdGroupMs);
}

/** Undefined for a claim of another storage. */
function cidOf(claim: Claim): number | undefined {
  const cid = Number(claim.id);
  return Number.isSafeInteger(cid) ? cid : undefined;
}
