import { hash as cryptoHash } from "node:crypto";
import { memberPages } from "../src/audiences/index.ts";
import { atLeast, type Bench, perSecond, type Row } from "./row.ts";

const KINDS = [
  ["e-mails", "email", (n: number) => `First.Last${n}@Example.com`, (n: number) => `first.last${n}@example.com`],
  ["phones", "phone", (n: number) => `+4479${10_000_000 + n}`, (n: number) => `4479${10_000_000 + n}`],
] as const;

/** Members from raw identifiers to pages of digests, against hashing the same texts and nothing else. */
export const rows: Bench = async ({ smoke }) => {
  const count = smoke ? 1_000 : 200_000;
  const turns = smoke ? 1 : 5;
  const all: Row[] = [];
  for (const [name, kind, raw, canonical] of KINDS) {
    const values = Array.from({ length: count }, (_, n) => raw(n));
    const texts = Array.from({ length: count }, (_, n) => canonical(n));
    const ours: number[] = [];
    const alone: number[] = [];
    // In turns, so that a busy machine slows them alike.
    for (let turn = 0; turn < turns; turn++) {
      ours.push(
        await perSecond(count, 0, () => {
          let digests = 0;
          for (const { hashes } of memberPages(kind, values)) digests += hashes.length;
          if (digests !== count) throw new Error(`${digests} of ${count} came out.`);
        }),
      );
      alone.push(
        await perSecond(count, 0, () => {
          for (const text of texts) cryptoHash("sha256", text, "hex");
        }),
      );
    }
    const value = Math.max(...ours);
    const limit = Math.max(...alone);
    all.push({
      name: `members, ${name} normalised, hashed, paged`,
      value,
      unit: "members/s",
      limit,
      goals: [atLeast(0.5, "limit", "crypto.hash alone")],
    });
  }
  return all;
};
