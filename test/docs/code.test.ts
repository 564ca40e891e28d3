import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { codeOf, examplesOf, pages, ROOT, read, type ShownCode, sources } from "./shown-code.ts";

/** What a fragment may use without saying where it comes from. */
const GIVEN = `
import type { Destination, Snapchat, Tenant } from "snapchat-destination";
declare global {
  const snapchat: Snapchat;
  const acme: Tenant;
  const shop: Destination;
  const tenantId: string;
  const destinationId: string;
  const clientId: string;
  const clientSecret: string;
  const redirectUri: string;
}
`;

/** Lines as they are compared: indentation, imports and what ends the last one say nothing. */
const plain = (code: string): string =>
  code
    .split("\n")
    .map((line) => line.trim().replaceAll(/\s+/g, " "))
    .filter((line) => line !== "" && !line.startsWith("import "))
    .join("\n")
    .replace(/[,;]$/, "");

function problemsOf(shown: ShownCode[]): string[] {
  const folder = join(ROOT, "test/docs/shown");
  const files = new Map<string, ShownCode | undefined>([[join(folder, "given.ts"), undefined]]);
  for (const [index, one] of shown.entries()) files.set(join(folder, `${index}.ts`), one);
  const textOf = (name: string): string | undefined => {
    if (!files.has(name)) return undefined;
    const one = files.get(name);
    return one ? `${one.given}\n${one.code}\nexport {};\n` : GIVEN;
  };

  const config = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile).config;
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, ROOT);
  Object.assign(options, {
    noUnusedLocals: false,
    noUnusedParameters: false,
    lib: ["lib.es2024.d.ts", "lib.esnext.d.ts", "lib.dom.d.ts"],
  });
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (name) => textOf(name) ?? readFile(name);
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.getSourceFile = (name, version, ...rest) => {
    const text = textOf(name);
    return text === undefined ? getSourceFile(name, version, ...rest) : ts.createSourceFile(name, text, version);
  };

  const program = ts.createProgram([...files.keys()], options, host);
  return [...files].flatMap(([name, one]) => {
    const file = program.getSourceFile(name);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ messageText }) => `${one?.at ?? "given"} ${ts.flattenDiagnosticMessageText(messageText, " ")}`,
    );
  });
}

describe("code that readers are shown", () => {
  const compiledAlready = [...sources("examples"), ...sources("test")].map((path) => plain(read(path)));
  const shown = [...pages().flatMap((path) => codeOf(path, read(path))), ...sources("src").flatMap(examplesOf)];

  it("compiles, in every page and every @example", { timeout: 120_000 }, () => {
    const alone = shown.filter(({ code }) => !compiledAlready.some((program) => program.includes(plain(code))));
    expect(shown.length).toBeGreaterThan(40);
    expect(problemsOf(alone)).toEqual([]);
  });
});
