import { stripVTControlCharacters, styleText } from "node:util";
import type { CommandIo } from "./command.ts";

type Style = Parameters<typeof styleText>[0];

/** Text in a colour, on a terminal that wants it. `NO_COLOR` is respected. */
export function painter({ stdout, env = process.env }: CommandIo): (style: Style, text: string) => string {
  const coloured = stdout.isTTY === true && !env.NO_COLOR;
  return (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text);
}

/** Columns as wide as their widest cell. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, visible(cell));
  }
  return rows
    .map((row) => row.map((cell, at) => cell + " ".repeat((widths[at] ?? 0) - visible(cell))).join("  "))
    .map((line) => line.trimEnd())
    .join("\n");
}

const visible = (text: string) => stripVTControlCharacters(text).length;

/** One line on a terminal's stderr that is written over, nothing elsewhere: what a script reads stays clean. */
export function liveLine({ stderr }: CommandIo) {
  let shown = false;
  return {
    show(text: string): void {
      if (stderr.isTTY !== true) return;
      shown = true;
      stderr.write(`\r\u001b[K${text}`);
    },
    end(): void {
      if (shown) stderr.write("\r\u001b[K");
    },
  };
}
