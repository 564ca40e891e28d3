import { randomBytes } from "node:crypto";
import { createPeople, type DigestKeys, type Membership, type PeopleOptions } from "../../src/people/index.ts";
import type { Members } from "../../src/storage/ports.ts";
import { FakeClock } from "../destinations/fakes/clock.ts";
import { MemoryRecords } from "../destinations/fakes/records.ts";

/** The room with fakes around it. `shared` given: another process on the same storage. */
export function createWorld(
  shared?: { clock: FakeClock; records: MemoryRecords; keys: Map<string, Uint8Array> },
  more: Partial<PeopleOptions> = {},
) {
  const clock = shared?.clock ?? new FakeClock();
  const records = shared?.records ?? new MemoryRecords(clock);
  const held: { segment: { tenantId: string; destinationId: string; link: string }; hash: Uint8Array }[] = [];
  const removals: Membership[] = [];
  const audit: unknown[] = [];
  const keys = shared?.keys ?? new Map<string, Uint8Array>();
  const digestKeys: DigestKeys = {
    async of(tenantId) {
      const key = keys.get(tenantId) ?? randomBytes(32);
      keys.set(tenantId, key);
      return key;
    },
    destroy: async (tenantId) => void keys.delete(tenantId),
  };
  const members: Pick<Members, "find"> = {
    async find(tenantId, hashes) {
      const wanted = hashes.map((hash) => Buffer.from(hash).toString("hex"));
      return held.filter(
        ({ segment, hash }) => segment.tenantId === tenantId && wanted.includes(Buffer.from(hash).toString("hex")),
      );
    },
  };
  const people = createPeople({
    records,
    digestKeys,
    clock,
    members,
    destinations: async (tenantId) =>
      tenantId === "acme"
        ? [
            { id: "uk", defaultCountry: "GB" },
            { id: "de", defaultCountry: "DE" },
          ]
        : [],
    removal: { remove: async (_tenantId, memberships) => void removals.push(...memberships) },
    audit: async (entry) => void audit.push(entry),
    ...more,
  });
  return { clock, records, people, keys, held, removals, audit };
}
