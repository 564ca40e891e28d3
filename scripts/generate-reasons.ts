/** Writes `docs/reasons.md` from the tables that receipts take their words from. */
import { writeFileSync } from "node:fs";
import { REASON_SECTIONS } from "../src/snapchat/reasons.ts";
import { table } from "./generate-repairs.ts";

const HEAD = `# Every reason on a receipt

<!-- Written by scripts/generate-reasons.ts from the table the code reads; do not edit. -->

A part of a receipt that is not queued has a \`reason\`, \`words\` (what happened, and what to do) and, where a field made it
be rejected, its \`path\`. \`explain\` says the same of an event without sending it, and also where the workflow reads that
field; [operating](operating.md#where-is-my-purchase) finds an event that was sent. What a call throws instead is in
[errors](errors.md).
`;

/** The whole page. */
export function reasonsPage(): string {
  const sections = REASON_SECTIONS.map(({ title, about, reasons }) => {
    const rows = Object.entries(reasons).map(([code, { message, fix }]) => [`\`${code}\``, message, fix]);
    return `## ${title}\n\n${about}\n\n${table(["code", "what happened", "what to do"], rows)}\n`;
  });
  return `${HEAD}\n${sections.join("\n")}`;
}

if (import.meta.main) writeFileSync(new URL("../docs/reasons.md", import.meta.url), reasonsPage());
