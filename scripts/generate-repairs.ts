/** Writes `docs/repairs.md` and `docs/fields.md` from the tables that the code itself reads. */
import { writeFileSync } from "node:fs";
import { REPAIRS, type Repair } from "../src/capi/repairs.ts";
import { IDENTITY_REASONS } from "../src/identity/index.ts";
import { EVENT_NAMES } from "../src/wire/event-names.ts";
import { FIELDS, pathOf } from "../src/wire/fields.ts";

const HEADINGS: Record<Repair["severity"], string> = {
  error: `## Rejected

Snapchat would refuse the event, or count it wrongly. It is not sent under either policy; its receipt carries the code.`,
  repaired: `## Repaired

Under \`repair\`, the default, the field is fixed or left out, the event goes, and the issue says so. Under \`strict\` the
event is rejected with the code, and so is a PURCHASE under either policy that is left without value or currency.`,
  warning: `## Warned

The event goes as it is.`,
};

/** A table as Biome lays it out, so that formatting the page does not make it stale. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

const FINDINGS = ["code", "what was found", "what to do"] as const;

/** The page of everything validation can say about an event. */
export function repairsPage(): string {
  const sections = (["error", "repaired", "warning"] as const).map((severity) => {
    const rows = Object.entries<Repair>(REPAIRS)
      .filter(([, repair]) => repair.severity === severity)
      .map(([code, { message, fix }]) => [`\`${code}\``, message.replace("{path}", "The field"), fix]);
    return `${HEADINGS[severity]}\n\n${table(FINDINGS, rows)}\n`;
  });
  const reasons = Object.entries(IDENTITY_REASONS)
    .filter(([reason]) => reason !== "empty")
    .map(([reason, { message, fix }]) => [`\`${reason}\``, message, fix]);
  return `# What is repaired in an event

<!-- Written by scripts/generate-repairs.ts from the table the code reads; do not edit. -->

\`validate(event, { policy })\` and every event that is sent go through the same checks. Each finding is an issue with
\`path\`, \`code\`, \`message\`, \`fix\` and \`severity\`, and never holds the value itself.

${sections.join("\n")}
## Identifiers left out

An identifier that cannot be used is left out, and the event goes if another one can match (see
[identifiers](identifiers.md)). These count as repaired.

${table(FINDINGS, reasons)}
`;
}

/** The page of the field table. */
export function fieldsPage(): string {
  const rows = FIELDS.map((field) => {
    const aliases = (field.aliases ?? []).map((alias) => `\`${alias}\``).join(", ");
    return [`\`${pathOf(field)}\``, field.kind, field.about, field.pixel ? `\`${field.pixel}\`` : "", aliases];
  });
  return `# The fields of an event

<!-- Written by scripts/generate-repairs.ts from the table the code reads; do not edit. -->

The Conversions API v3, as this package reads and writes it. A value found under one of the other names is moved to the
right one, and the issue \`field_renamed\` says so.

${table(["field", "kind", "about", "pixel's name", "other names read"], rows)}

## Event names

${EVENT_NAMES.map((name) => `\`${name}\``).join(" · ")}
`;
}

if (import.meta.main) {
  writeFileSync(new URL("../docs/repairs.md", import.meta.url), repairsPage());
  writeFileSync(new URL("../docs/fields.md", import.meta.url), fieldsPage());
}
