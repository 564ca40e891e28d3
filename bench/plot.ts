/** What a row measured over something: drawn on the page beside its table. */
export interface Plot {
  /** Name of the picture, without its ending. */
  file: string;
  title: string;
  /** What the axes count. Both begin at nought. */
  x: string;
  y: string;
  lines: readonly Line[];
}

export interface Line {
  name: string;
  points: readonly (readonly [x: number, y: number])[];
}

/** A value with what it is compared with, on a scale of powers of ten. */
export interface Dot {
  name: string;
  value: number;
  limit?: number | undefined;
  peer?: number | undefined;
}

const WIDTH = 760;
const COLOURS = ["#c0392b", "#2471a3", "#7d8b99", "#1e8449"];

/** Lines over two axes, as SVG. */
export function linePlot({ title, x, y, lines }: Plot): string {
  const [height, left, right, top, bottom] = [320, 62, 20, 56, 44];
  const ends = lines.flatMap(({ points }) => points);
  const [mostX, mostY] = [0, 1].map((axis) => Math.max(...ends.map((point) => point[axis] ?? 0), 1e-9)) as [
    number,
    number,
  ];
  const atX = (value: number) => left + (value / mostX) * (WIDTH - left - right);
  const atY = (value: number) => height - bottom - (value / mostY) * (height - bottom - top);
  const drawn = lines.map(({ points }, n) => {
    const path = points.map(([px, py]) => `${fixed(atX(px))},${fixed(atY(py))}`).join(" ");
    return `<polyline points="${path}" fill="none" stroke="${COLOURS[n % COLOURS.length]}" stroke-width="1.8"/>`;
  });
  let keyAt = left;
  const keys = lines.map(({ name }, n) => {
    const at = keyAt;
    keyAt += 30 + name.length * 6.6;
    return `<rect x="${at}" y="33" width="12" height="3" fill="${COLOURS[n % COLOURS.length]}"/>${text(at + 17, 39, name)}`;
  });
  return svg(height, title, [
    ...ticks(mostX).map((value) => text(atX(value), height - bottom + 16, short(value), "middle")),
    ...ticks(mostY).map(
      (value) =>
        `<path d="M${left} ${fixed(atY(value))}H${WIDTH - right}" stroke="#e4e7ea"/>${text(left - 8, atY(value) + 4, short(value), "end")}`,
    ),
    `<path d="M${left} ${top}V${height - bottom}H${WIDTH - right}" fill="none" stroke="#888"/>`,
    text((left + WIDTH - right) / 2, height - 8, x, "middle"),
    `<text transform="translate(14 ${(height - bottom + top) / 2}) rotate(-90)" text-anchor="middle">${escaped(y)}</text>`,
    ...drawn,
    ...keys,
  ]);
}

/** One line per path: a bar to its value, a stroke at its limit, a ring at its peer. */
export function dotPlot(title: string, unit: string, dots: readonly Dot[]): string {
  const [left, right, top, step] = [372, 24, 62, 20];
  const height = top + dots.length * step + 34;
  const all = dots.flatMap(({ value, limit, peer }) => [value, limit, peer].filter((n) => n !== undefined && n > 0));
  const [low, high] = [
    Math.floor(Math.log10(Math.min(...(all as number[])))),
    Math.ceil(Math.log10(Math.max(...(all as number[])))),
  ];
  const at = (value: number) => left + ((Math.log10(value) - low) / (high - low)) * (WIDTH - left - right);
  const powers = Array.from({ length: high - low + 1 }, (_, n) => 10 ** (low + n));
  const bottom = top + dots.length * step;
  return svg(height, title, [
    `<rect x="${left}" y="32" width="14" height="8" fill="#9bc4e2"/>${text(left + 19, 40, "ours")}`,
    `<path d="M${left + 70} 29v14" stroke="#333" stroke-width="2"/>${text(left + 77, 40, "limit")}`,
    `<circle cx="${left + 134}" cy="36" r="4" fill="none" stroke="#c0392b" stroke-width="2"/>${text(left + 143, 40, "peer")}`,
    ...powers.map(
      (value) =>
        `<path d="M${fixed(at(value))} ${top - 8}V${bottom}" stroke="#e4e7ea"/>${text(at(value), bottom + 16, short(value), "middle")}`,
    ),
    text((left + WIDTH - right) / 2, bottom + 31, unit, "middle"),
    ...dots.map(({ name, value, limit, peer }, n) => {
      const y = top + n * step;
      return [
        text(left - 8, y + 9, name, "end"),
        `<rect x="${left}" y="${y}" width="${fixed(at(value) - left)}" height="12" fill="#9bc4e2"/>`,
        limit === undefined ? "" : `<path d="M${fixed(at(limit))} ${y - 2}v16" stroke="#333" stroke-width="2"/>`,
        peer === undefined
          ? ""
          : `<circle cx="${fixed(at(peer))}" cy="${y + 6}" r="4" fill="none" stroke="#c0392b" stroke-width="2"/>`,
      ].join("");
    }),
  ]);
}

/** White under it, whatever the page's colours are. */
function svg(height: number, title: string, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12" role="img" aria-label="${escaped(title)}">
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text x="14" y="20" font-size="14" font-weight="600">${escaped(title)}</text>
${parts.join("\n")}
</svg>
`;
}

function text(x: number, y: number, words: string, anchor: "start" | "middle" | "end" = "start"): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}">${escaped(words)}</text>`;
}

/** Round numbers from nought up to the most, five or so. */
function ticks(most: number): number[] {
  const rough = most / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, n) => n * step);
}

function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
  return value >= 10_000 ? `${Number((value / 1e3).toPrecision(3))} k` : String(Number(value.toPrecision(3)));
}

function fixed(value: number): string {
  return String(Number(value.toFixed(1)));
}

function escaped(words: string): string {
  return words.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
