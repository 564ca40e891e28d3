import { join } from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";
import { ROOT, read } from "./shown-code.ts";

const CALLED = ts.SymbolFlags.Function | ts.SymbolFlags.Class;

/** Every function and class that a subpath exports, with whether its docstring has an example. */
function called(): Map<string, boolean> {
  const { entryPoints } = JSON.parse(read("typedoc.json")) as { entryPoints: string[] };
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, ROOT);
  const paths = entryPoints.map((path) => join(ROOT, path));
  // Names and docstrings are all that is asked for: neither the language's types nor anybody else's are read.
  const host = ts.createCompilerHost(options);
  const { fileExists, directoryExists } = host;
  host.fileExists = (path) => !path.includes("node_modules") && fileExists(path);
  host.directoryExists = (path) => !path.includes("node_modules") && (directoryExists?.(path) ?? false);
  const program = ts.createProgram(paths, { ...options, noLib: true, types: [] }, host);
  const checker = program.getTypeChecker();
  const found = new Map<string, boolean>();
  for (const path of paths) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(path) as ts.Node);
    for (const exported of module ? checker.getExportsOfModule(module) : []) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      const tags = symbol.getJsDocTags(checker).map(({ name }) => name);
      if (!isCalled(symbol) || tags.includes("internal")) continue;
      found.set(exported.name, tags.includes("example"));
    }
  }
  return found;
}

/** A function, a class, or a constant that is written as a function. */
function isCalled(symbol: ts.Symbol): boolean {
  const declaration = symbol.valueDeclaration;
  const value = declaration && ts.isVariableDeclaration(declaration) ? declaration.initializer : undefined;
  return (symbol.flags & CALLED) !== 0 || (value !== undefined && ts.isFunctionLike(value));
}

it("every exported function and class shows an example", { timeout: 60_000 }, () => {
  const all = called();
  expect(all.size).toBeGreaterThan(60);
  expect([...all].filter(([, shown]) => !shown).map(([name]) => name)).toEqual([]);
});
