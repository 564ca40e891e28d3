import { outcomesById } from "../checks.ts";
import type { Outbox } from "../ports.ts";
import { locate } from "./claim.ts";
import type { Engine } from "./engine.ts";
import { Frame, whole } from "./frame.ts";

/** What ends or prolongs a claim. */
export function settling(engine: Engine): Pick<Outbox, "settle" | "release" | "extend"> {
  const hold = (holdGroupMs: number | undefined) => (holdGroupMs === undefined ? "" : whole(holdGroupMs));
  return {
    async settle(claim, outcomes, o = {}) {
      const frame = new Frame();
      for (const { id, dead = [], rest } of outcomesById(claim, outcomes).values()) {
        const progress = rest?.progress ?? new Uint8Array();
        const retry = `${rest ? 1 : 0} ${whole(rest?.retryInMs ?? 0)} ${progress.byteLength}`;
        frame.add(`${Buffer.byteLength(id)} ${dead.length} ${retry}\n`, id, progress);
        for (const { itemIndex, reason, payload, detail } of dead) {
          const sizes = `${Buffer.byteLength(reason)} ${payload.byteLength} ${detail.byteLength}`;
          frame.add(`${itemIndex} ${sizes}\n`, reason, payload, detail);
        }
      }
      const bytes = frame.bytes();
      const place = locate(engine, claim);
      if (!place) return "lost";
      const answer = await engine.run("settle", place[0], [place[1], hold(o.holdGroupMs), bytes]);
      return String(answer) === "settled" ? "settled" : "lost";
    },

    async release(claim, o = {}) {
      const place = locate(engine, claim);
      if (place) await engine.run("release", place[0], [place[1], hold(o.holdGroupMs)]);
    },

    async extend(claim, leaseMs) {
      const place = locate(engine, claim);
      return place !== undefined && (await engine.run("extend", place[0], [place[1], whole(leaseMs)])) === 1;
    },
  };
}
