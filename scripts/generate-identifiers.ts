/**
 * Writes `docs/identifiers.md` from the data the tests of `identity` run on. Run with `npx tsx scripts/generate-identifiers.ts`;
 * a test fails when the file is stale.
 */
import { writeFileSync } from "node:fs";
import { IDENTITY_FIELDS, IDENTITY_REASONS, type IdentityField, sha256Hex } from "../src/identity/index.ts";
import { LEFT_OUT, OURS, RULES, TAKEN, type Vector, WRONG } from "../test/identity/vectors.ts";

const target = new URL("../docs/identifiers.md", import.meta.url);

const HEAD = `# Identifiers

<!-- Made by scripts/generate-identifiers.ts from test/identity/vectors.ts. Do not edit. -->

One set of rules for events, audience lists and the pixel: \`normalize\` gives the canonical text, \`hash\` its SHA-256 as 64
lower-case hexadecimal digits. What cannot be an identifier is left out with a reason and never hashed. Every row below is
a test.

For every field:

- A value of 64 hexadecimal digits, in any case, is a SHA-256 digest already: it is taken in lower case and never hashed
  again. MD5 and other digests, and digests of an empty text or of \`null\`, are left out.
- Lists are freed of repetitions after hashing, so two spellings of one address count once.
- Texts longer than 2,048 characters are left out.
`;

function cell(text: string): string {
  return text.replace(/\|/g, "\\|");
}

/** Inputs as JSON, so that white space and invisible characters show. */
function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? "undefined";
  const short = json.length > 80 ? `${json.slice(0, 24)}…${json.slice(-8)}` : json;
  const visible = short.replace(
    /[\p{Cf}\p{Zl}\p{Zp}\u00a0\u3000\u212b]|(?<![\p{L}])\p{M}/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
  return `\`${cell(visible)}\``;
}

function settings(vector: Pick<Vector, "options">): string {
  return vector.options ? `\`${cell(JSON.stringify(vector.options))}\`` : "";
}

function taken(field: IdentityField): string {
  const rows = [...TAKEN, ...OURS].filter((vector) => vector.field === field);
  const seen = new Set<string>();
  const lines = rows.flatMap((vector) => {
    const value = vector.value ?? "";
    const digest = vector.digest ?? (/^[0-9a-f]{64}$/.test(value) ? value : sha256Hex(value));
    const line = `| ${shown(vector.input)} | ${settings(vector)} | ${shown(value)} | \`${digest}\` | ${vector.note ?? ""} |`;
    return seen.has(line) ? [] : [seen.add(line) && line];
  });
  return ["| input | options | canonical text | SHA-256 | |", "|---|---|---|---|---|", ...lines].join("\n");
}

function leftOut(field: IdentityField): string {
  const rows = LEFT_OUT.filter((vector) => vector.field === field);
  if (rows.length === 0) return "";
  const lines = rows.map(
    (vector) => `| ${shown(vector.input)} | ${settings(vector)} | \`${vector.reason}\` | ${vector.note ?? ""} |`,
  );
  return ["", "Left out:", "", "| input | options | reason | |", "|---|---|---|---|", ...lines].join("\n");
}

/** The whole file. */
export function identifiers(): string {
  const sections = IDENTITY_FIELDS.map((field) => {
    const { title, rule, source } = RULES[field];
    return `## ${field}: ${title}\n\n${rule}\n\nSource: ${source}\n\n${taken(field)}\n${leftOut(field)}`.trimEnd();
  });
  const reasons = Object.entries(IDENTITY_REASONS).map(
    ([reason, { message, fix }]) => `| \`${reason}\` | ${message} | ${fix} |`,
  );
  const wrong = WRONG.map(
    ({ field, input, digest, mistake }) => `| \`${field}\` | ${shown(input)} | ${mistake} | \`${digest}\` |`,
  );
  return `${[
    HEAD.trimEnd(),
    ...sections,
    `## Reasons\n\n| reason | what it means | what to do |\n|---|---|---|\n${reasons.join("\n")}`,
    `## Digests that must never come out\n\nThey are what wrong rules give; the tests hold ours against them.\n\n| field | input | mistake | digest |\n|---|---|---|---|\n${wrong.join("\n")}`,
  ].join("\n\n")}\n`;
}

if (process.argv[1]?.endsWith("generate-identifiers.ts")) {
  writeFileSync(target, identifiers());
  console.log(target.pathname);
}
