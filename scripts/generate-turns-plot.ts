/** Draws docs/images/turns.svg: requests of 1,000 waiting tenants over time. `node scripts/generate-turns-plot.ts` */
import { writeFileSync } from "node:fs";
import { fairnessOf, simulateTurns } from "../test/delivery/turns/simulate.ts";

const options = { tenants: 1_000, perSecond: 200, noisy: 100, seconds: 110, workers: 2 };
const turns = await simulateTurns(options);
const { leastShare, longestWait, perSecond } = fairnessOf(turns, options);

const WIDTH = 720;
const HEIGHT = 300;
const LEFT = 50;
const BOTTOM = 40;
const TOP = 20;
const most = Math.max(...turns.sentAt.map((times) => times.length));
const x = (seconds: number) => LEFT + (seconds / options.seconds) * (WIDTH - LEFT - 20);
const y = (requests: number) => HEIGHT - BOTTOM - (requests / most) * (HEIGHT - BOTTOM - TOP);
const at = (seconds: number) => turns.sentAt.map((times) => times.filter((time) => time <= seconds).length);

const seconds = Array.from({ length: options.seconds + 1 }, (_, second) => second);
const noisy = seconds.map((second) => [x(second), y(at(second)[0] ?? 0)]);
const band = seconds.map((second) => {
  const others = at(second).slice(1);
  return { x: x(second), low: y(Math.min(...others)), high: y(Math.max(...others)) };
});
const points = (list: readonly (readonly number[])[]) =>
  list.map((pair) => pair.map((n) => n.toFixed(1)).join()).join(" ");
const outline = [...band.map((one) => [one.x, one.high]), ...band.toReversed().map((one) => [one.x, one.low])];
const turn = options.tenants / options.perSecond;

writeFileSync(
  new URL("../docs/images/turns.svg", import.meta.url),
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" role="img" aria-label="Requests sent by tenant over time">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<path d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - 20}" fill="none" stroke="#888"/>
<polygon points="${points(outline)}" fill="#9bc4e2"/>
<polyline points="${points(noisy)}" fill="none" stroke="#c0392b" stroke-width="1.5"/>
${[0, 25, 50, 75, 100].map((second) => `<text x="${x(second)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${second} s</text>`).join("\n")}
${[0, 5, 10, 15, 20].map((count) => `<text x="${LEFT - 8}" y="${y(count) + 4}" text-anchor="end">${count}</text>`).join("\n")}
<text x="${LEFT + 12}" y="${TOP + 12}">requests of one tenant: red the one with 100 times the work, blue all 999 others, slowest to fastest</text>
<text x="${LEFT + 12}" y="${TOP + 30}">least share in any 20 turns ${(leastShare * 100).toFixed(0)} %, longest wait ${longestWait.toFixed(2)} turns of ${turn} s, ${perSecond.toFixed(0)} requests a second</text>
</svg>
`,
);
