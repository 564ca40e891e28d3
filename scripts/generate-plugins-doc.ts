/**
 * Writes `docs/plugins.md` from the table of hooks and the examples that the tests run. Run with
 * `npx tsx scripts/generate-plugins-doc.ts`; a test fails when the file is stale.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { HOOKS, type HookName } from "../src/plugins/index.ts";

const target = new URL("../docs/plugins.md", import.meta.url);
const examples = new URL("../examples/plugins/plugins.ts", import.meta.url);

/** Hooks that one example shows together. */
const TOGETHER: Readonly<Partial<Record<HookName, HookName>>> = { operators: "functions", receipts: "audit" };

const HEAD = `# Plugins

<!-- Made by scripts/generate-plugins-doc.ts from src/plugins/limits.ts and examples/plugins/plugins.ts. Do not edit. -->

A plugin hooks a host's own systems in: \`createSnapchat({ plugins: [definePlugin({ name, … })] })\`. Hooks run in the order
of the list. Each sees a copy of what it is given, has a time limit, and has one meaning of failing; \`explain\` and receipts
name the plugin that changed or stopped an event. A hook that no plugin has costs nothing. \`testPlugin()\` of
\`snapchat-destination/testing\` tries a plugin's hooks with ordinary and odd input.
`;

function table(): string {
  const rows = Object.entries(HOOKS).map(
    ([hook, { when, limitMs, failure }]) =>
      `| \`${hook}\` | ${when} | ${limitMs.toLocaleString("en")} ms | ${failure} |`,
  );
  return ["| hook | when | time limit | what its failure means |", "|---|---|---|---|", ...rows].join("\n");
}

function example(source: string, hook: string): string {
  const start = source.indexOf(`// #region ${hook}\n`);
  const end = source.indexOf("  // #endregion", start);
  if (start < 0 || end < 0) throw new Error(`examples/plugins/plugins.ts has no example of ${hook}.`);
  const code = source.slice(source.indexOf("\n", start) + 1, end).replace(/^ {2}/gm, "");
  return code.trimEnd().replace(/,$/, ";");
}

/** The whole file. */
export function pluginsPage(): string {
  const source = readFileSync(examples, "utf8");
  const sections = (Object.keys(HOOKS) as HookName[])
    .filter((hook) => TOGETHER[hook] === undefined)
    .map((hook) => {
      const also = Object.entries(TOGETHER).flatMap(([other, first]) => (first === hook ? [other] : []));
      const title = [hook, ...also].join(" and ");
      return `### ${title}\n\n\`\`\`ts\n${example(source, hook)}\n\`\`\``;
    });
  return `${HEAD}
## Hooks

${table()}

A time limit of a plugin's own goes before these: \`timeLimitsMs: { enrich: 200 }\`. What runs synchronously cannot be
stopped, only reported.

## One example each

\`host\` stands for the host's own systems.

${sections.join("\n\n")}
`;
}

if (process.argv[1]?.endsWith("generate-plugins-doc.ts")) {
  writeFileSync(target, pluginsPage());
  console.log(target.pathname);
}
