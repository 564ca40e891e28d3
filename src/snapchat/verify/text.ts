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
