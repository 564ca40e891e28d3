import { expect, it } from "vitest";
import { type ListSyncDependencies, syncList } from "../../src/audiences/index.ts";
import { createListQueue } from "../../src/delivery/list-queue.ts";
import { memory } from "../../src/storage/memory/index.ts";
import { createFakeClock } from "../../src/testing/clock.ts";

it("a list of which a part became a dead letter ends and says why", async () => {
  const clock = createFakeClock();
  const storage = memory({ clock });
  const segment = { tenantId: "acme", destinationId: "d1", link: "vip" };
  const group = {
    tenantId: "acme",
    destinationId: "d1",
    name: "members/vip",
    exclusive: true,
    credentialId: "oauth/c",
  };
  await storage.outbox.open([group]);
  const lists = createListQueue({
    storage,
    sealer: undefined,
    clock,
    random: Math.random,
    identifiersPerRequest: 10,
    dedupeMs: 60_000,
  });
  const dependencies: ListSyncDependencies = { records: storage.records, lists, clock, membersKept: true };
  const sync = syncList(dependencies, {
    segment,
    runId: "a",
    mode: "add",
    rows: [{ email: "jane@example.com" }],
    read: { identifiers: ["email"], personOf: () => new Uint8Array(16) },
    maxRemovedShare: 0.5,
  });
  const failed = expect(clock.run(sync)).rejects.toMatchObject({
    code: "sync_given_up",
    kind: "fix_configuration",
    details: { reason: "entry_expired" },
  });
  await clock.advance(1_000);
  const claim = await storage.outbox.claim({ owner: "w", leaseMs: 60_000, maxItems: 2_000, maxBytes: 1e6 });
  const dead = (entry: { id: string; payload: Uint8Array }) => ({
    id: entry.id,
    dead: [{ itemIndex: -1, reason: "entry_expired", payload: entry.payload, detail: new Uint8Array() }],
  });
  if (claim) await storage.outbox.settle(claim, claim.entries.map(dead));
  await failed;
});
