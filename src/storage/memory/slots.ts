import type { Slots } from "../ports.ts";
import { blockSlots, emptySlotLog, reserveSlots, type SlotLog } from "../slot-log.ts";

export function memorySlots(now: () => number): Slots {
  const logs = new Map<string, SlotLog>();
  const log = (key: string): SlotLog => {
    const found = logs.get(key) ?? emptySlotLog();
    logs.set(key, found);
    return found;
  };
  return {
    reserve: async (scopes, want) =>
      reserveSlots(
        scopes.map((scope) => log(scope.key)),
        scopes,
        want,
        now(),
      ),
    block: async (key, forMs) => blockSlots(log(key), now() + forMs),
  };
}
