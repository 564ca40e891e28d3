import type { MemberOp } from "./ports.ts";

type Place = Pick<MemberOp, "hash"> & { kind: number; person: Uint8Array };

/** Where a page of members ended: rows go by kind, hash and person. */
export function writeCursor({ kind, hash, person }: Place): string {
  return [kind, Buffer.from(hash).toString("hex"), Buffer.from(person).toString("hex")].join(".");
}

/** Without a cursor: before all rows. */
export function readCursor(cursor: string | undefined): Place {
  const [kind = "-1", hash = "", person = ""] = cursor === undefined ? [] : cursor.split(".");
  return { kind: Number(kind), hash: Buffer.from(hash, "hex"), person: Buffer.from(person, "hex") };
}
