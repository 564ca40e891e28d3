import { checkId } from "../checks.ts";
import type { Journal } from "../ports.ts";
import type { Engine } from "./engine.ts";
import { framed } from "./frame.ts";

export function redisJournal(engine: Engine): Journal {
  const of = (number: number) => engine.partition("journal", number);
  return {
    async write(lines) {
      const parts = new Map<number, (string | Buffer)[]>();
      for (const { destinationId, ids, data } of lines) {
        for (const id of ids) checkId("journal id", id);
        const number = engine.numberOf(destinationId);
        const args = parts.get(number) ?? [];
        parts.set(number, args);
        args.push(destinationId, framed(...new Set(ids)), Buffer.from(data));
      }
      await Promise.all([...parts].map(([number, args]) => engine.run("writeLines", of(number), args)));
    },

    async find(o) {
      const { destinationId, id, fromAgeMs, toAgeMs, after = "", limit } = o;
      const args = [destinationId, id === undefined ? "" : `=${id}`, fromAgeMs, Math.ceil(toAgeMs), after, limit];
      const answer = await engine.run("findLines", of(engine.numberOf(destinationId)), args);
      const [last, ...items] = answer as [Buffer, ...Buffer[]];
      return { items, ...(last.length > 0 ? { after: last.toString() } : {}) };
    },

    async expire(olderThanMs, o) {
      let left = o.limit;
      for (const number of engine.numbers) {
        left -= Number(await engine.run("expireLines", of(number), [olderThanMs, left]));
        if (left <= 0) return false;
      }
      return true;
    },
  };
}
