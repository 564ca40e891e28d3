import type { CheckLine } from "../../destinations/index.ts";

const MARK = { ok: "✓", warning: "!", problem: "✗" } as const;

export function asText(lines: readonly CheckLine[]): string {
  return lines.map(({ status, message, fix }) => `${MARK[status]} ${message}${fix ? `\n  → ${fix}` : ""}`).join("\n");
}

export function asMarkdown(lines: readonly CheckLine[]): string {
  const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");
  const rows = lines.map(({ status, message, fix }) => `| ${status} | ${cell(message)} | ${cell(fix)} |`);
  return ["| | what | what to do |", "|---|---|---|", ...rows].join("\n");
}

/** A line in the host's own words: `code` for what is said, `code.fix` for what to do. */
export function worded(line: CheckLine, message: ((code: string, english: string) => string) | undefined): CheckLine {
  if (!message) return line;
  const fix = line.fix === "" ? "" : message(`${line.code}.fix`, line.fix);
  return { ...line, message: message(line.code, line.message), fix };
}
