import type { Claim, Storage } from "../../../src/storage/ports.ts";

/**
 * Watches the engine from below all processes: who owns which entry, and what slots were given.
 * A settle that the engine takes from anybody but the owner is a violation.
 */
export function watch(storage: Storage, monotonic: () => number) {
  const owner = new Map<string, string>();
  const groupOwner = new Map<string, string>();
  const settled = new Set<string>();
  const violations: string[] = [];
  /** Slots given, by limit key, on the base clock. */
  const slots = new Map<string, number[]>();
  const claims: { tenantId: string; atMs: number }[] = [];
  const keyOf = (claim: Claim, id: string) => `${claim.group.destinationId} ${claim.group.name} ${id}`;
  const groupOf = (claim: Claim) => `${claim.group.destinationId} ${claim.group.name}`;

  const outbox: Storage["outbox"] = {
    ...storage.outbox,
    async claim(options) {
      const claim = await storage.outbox.claim(options);
      if (!claim) return claim;
      claims.push({ tenantId: claim.group.tenantId, atMs: monotonic() });
      for (const { id } of claim.entries) owner.set(keyOf(claim, id), claim.id);
      groupOwner.set(groupOf(claim), claim.id);
      return claim;
    },
    async settle(claim, outcomes, options) {
      const end = await storage.outbox.settle(claim, outcomes, options);
      if (end === "settled" && !settled.has(claim.id)) {
        settled.add(claim.id);
        const stale = claim.group.exclusive
          ? groupOwner.get(groupOf(claim)) !== claim.id
          : claim.entries.some(({ id }) => owner.get(keyOf(claim, id)) !== claim.id);
        if (stale) violations.push(`a stale owner settled ${claim.id}`);
      }
      return end;
    },
  };
  const port = storage.slots;
  const watchedSlots: Storage["slots"] = port && {
    ...port,
    async reserve(scopes, want) {
      const at = monotonic();
      const given = await port.reserve(scopes, want);
      if ("inMs" in given) {
        for (const { key } of scopes) slots.set(key, [...(slots.get(key) ?? []), ...given.inMs.map((ms) => at + ms)]);
      }
      return given;
    },
  };
  const watched: Storage = { ...storage, outbox, ...(watchedSlots ? { slots: watchedSlots } : {}) };
  return { storage: watched, violations, slots, claims };
}
