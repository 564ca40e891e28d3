import type { Slots } from "../ports.ts";
import { CLOSED_RETRY_MS, SLOT_HORIZON_MS } from "../slot-log.ts";
import type { Engine } from "./engine.ts";

/** All limits in one partition: a slot is taken from several at once. */
export function redisSlots(engine: Engine): Slots {
  const partition = engine.partition("slots");
  return {
    async reserve(scopes, want) {
      const args = [want, SLOT_HORIZON_MS, CLOSED_RETRY_MS];
      const limits = scopes.flatMap(({ key, perWindow, windowMs }) => [key, perWindow, windowMs]);
      const answer = (await engine.run("reserve", partition, [...args, ...limits])) as [number, ...unknown[]];
      if (answer[0] === 1) return { inMs: answer.slice(1).map(Number) };
      return { retryInMs: Number(answer[1]), blockedBy: String(answer[2]) };
    },
    async block(key, forMs) {
      await engine.run("block", partition, [key, forMs]);
    },
  };
}
