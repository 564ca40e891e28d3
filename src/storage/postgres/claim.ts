import { escapeText, unescapeText } from "../escape.ts";
import type { Claim, ClaimedEntry, Outbox } from "../ports.ts";
import type { Database } from "./database.ts";
import { textList } from "./lists.ts";
import { claimInPieces } from "./sql.ts";

interface Row {
  kind: "none" | "busy" | "claim" | "entry";
  at: unknown;
  cid: unknown;
  tenant: string;
  destination: string;
  name: string;
  exclusive: boolean;
  credential: string;
  id: string;
  piece: number;
  /** A piece of it. */
  payload: Uint8Array;
  items: number;
  position: unknown;
  seq: unknown;
  claims: number;
  age_ms: unknown;
  progress: Uint8Array | null;
}

/** Claims that run at the same moment hold the tenants they look at for about a millisecond. */
const TRIES = 12;

/** `foundNothing` hears the engine's time at which nothing was due. */
export function claimer(db: Database, foundNothing: (at: number) => void): Outbox["claim"] {
  return async (o) => {
    const values = [
      db.clock(),
      Math.ceil(o.leaseMs),
      o.maxItems,
      o.maxBytes,
      textList((o.skipCredentials ?? []).map(escapeText)),
    ];
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const [head, ...entries] = await db.call<Row>("entries_claim", values, undefined, claimInPieces);
      if (head?.kind === "claim") return claimOf(head, entries);
      if (head?.kind !== "busy") {
        foundNothing(Number(head?.at));
        return undefined;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 2 * attempt));
    }
    return undefined;
  };
}

function claimOf(head: Row, rows: Row[]): Claim {
  const payloads = new Map<string, Uint8Array[]>();
  for (const { id, piece, payload } of rows) {
    const pieces = payloads.get(id) ?? [];
    payloads.set(id, pieces);
    pieces[piece] = payload;
  }
  const inOrder = rows
    .filter(({ piece }) => piece === 0)
    .map((row) => ({ row, position: Number(row.position), seq: Number(row.seq) }))
    .sort((a, b) => a.position - b.position || a.seq - b.seq);
  return {
    id: String(head.cid),
    // One sequence numbers all claims, so it rises in every group.
    fence: Number(head.cid),
    group: {
      tenantId: unescapeText(head.tenant),
      destinationId: unescapeText(head.destination),
      name: unescapeText(head.name),
      exclusive: head.exclusive,
      credentialId: unescapeText(head.credential),
    },
    entries: inOrder.map(({ row, position }): ClaimedEntry => {
      const { items, claims, progress } = row;
      const pieces = payloads.get(row.id) ?? [];
      const payload = pieces.length === 1 ? row.payload : Buffer.concat(pieces);
      const ageMs = Number(row.age_ms);
      return { id: unescapeText(row.id), payload, items, position, claims, ageMs, ...(progress ? { progress } : {}) };
    }),
  };
}
