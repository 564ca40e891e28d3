import { openMirrors } from "../test/audiences/processes/run-mirror.ts";
import { atMost, type Bench } from "./row.ts";

/**
 * What a process holds above rest while it mirrors a list from an async iterable: its worker, its SQLite file and its HTTP
 * in it, V8 bounded as in a small container. First all of it, then again with one in a hundred changed.
 */
export const rows: Bench = async ({ smoke }) => {
  const count = smoke ? 2_000 : 1_000_000;
  const mirrors = await openMirrors();
  try {
    const lines: { name: string; points: (readonly [number, number])[] }[] = [];
    let most = 0;
    for (const [name, runId, changeEvery] of [
      ["into an empty segment", "first", 0],
      ["again, 1 % changed", "second", 100],
    ] as const) {
      const points: (readonly [number, number])[] = [];
      const order = { segment: "vip", runId, count, changeEvery };
      const { aboveIdleMb } = await mirrors.mirror(order, [], ({ read, rssMb, idleMb }) => {
        points.push([read, rssMb - idleMb]);
      });
      most = Math.max(most, aboveIdleMb);
      lines.push({ name, points: thinned(points) });
    }
    const people = count.toLocaleString("en");
    return [
      {
        name: `memory above rest, ${people} members mirrored, SQLite`,
        value: most,
        unit: "MB",
        limit: 150,
        goals: [atMost(1, "limit")],
        plot: {
          file: "bench-memory",
          title: `Memory above rest while ${people} members are mirrored`,
          x: "members read",
          y: "MB",
          lines,
        },
      },
    ];
  } finally {
    await mirrors.close();
  }
};

const MOST_POINTS = 120;

function thinned<T>(points: readonly T[]): T[] {
  const step = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, n) => n % step === 0);
}
