/**
 * Writes `docs/errors.md` from every `SnapchatError` that the source makes. Run with `npx tsx scripts/generate-errors.ts`;
 * a test fails when the file is stale.
 */
import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("..", import.meta.url));
const target = new URL("../docs/errors.md", import.meta.url);

interface Made {
  code: string;
  kind: string;
  message: string;
  fix: string;
}

/** Functions that make an error from their arguments, with what else they set. */
type Fields = Partial<Record<keyof Made, ts.Expression>>;

const KINDS: Readonly<Record<string, string>> = {
  retry: "Nothing is wrong with what you asked; the same call succeeds later.",
  reauthorize: "A person has to sign in at Snapchat again or paste a new token.",
  fix_configuration: "Something in the set-up is wrong and stays wrong until it is changed.",
  fix_data: "This input is wrong; other input is fine.",
  capacity: "Too much waits already; nothing was stored.",
  bug: "A fault of this package or of an adapter; please report it.",
};

const HEAD = `# Errors

<!-- Made by scripts/generate-errors.ts from the source. Do not edit. -->

Every failure is a \`SnapchatError\` with a stable \`code\`, a \`kind\` that says what a caller does about it, a message that says
what happened, and \`fix\`, which says what to do. \`isSnapchatError(error)\` tells them from others, also across two copies of the
package. No message holds a payload, a token or a person; \`…\` stands for an id, a number or a name of the set-up.

Reasons on receipts and dead letters are not errors: [reasons.md](reasons.md) lists them.
`;

/** The whole file. */
export function errorsPage(): string {
  const byKind = Map.groupBy(collect(), ({ kind }) => kind);
  const sections = Object.entries(KINDS).flatMap(([kind, meaning]) => {
    const rows = (byKind.get(kind) ?? []).sort((a, b) => (a.code < b.code ? -1 : a.code > b.code ? 1 : 0));
    if (rows.length === 0) return [];
    const lines = rows.map(({ code, message, fix }) => `| \`${code}\` | ${cell(message)} | ${cell(fix)} |`);
    return [
      `## \`${kind}\`\n\n${meaning}\n\n| code | what happened | what to do |\n| --- | --- | --- |\n${lines.join("\n")}`,
    ];
  });
  return `${HEAD}\n${sections.join("\n\n")}\n`;
}

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");

function collect(): Made[] {
  const config = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const files = ts.sys.readDirectory(`${root}src`, [".ts"]);
  const program = ts.createProgram(files, options);
  const checker = program.getTypeChecker();
  const sources = program.getSourceFiles().filter(({ fileName }) => {
    const path = relative(root, fileName);
    return path.startsWith("src/") && !path.startsWith("src/testing/");
  });
  const calls = callsByFunction(sources, checker);
  const made = new Map<string, Made>();
  for (const source of sources) {
    visit(source, (node) => {
      if (!ts.isNewExpression(node) || node.expression.getText() !== "SnapchatError") return;
      const [argument] = node.arguments ?? [];
      if (!argument || !ts.isObjectLiteralExpression(argument)) return;
      for (const one of resolve(fieldsOf(argument), calls, checker)) {
        if (one.code === "" || one.code.includes("…")) continue;
        const key = `${one.kind} ${one.code}`;
        if (!made.has(key)) made.set(key, one);
      }
    });
  }
  return [...made.values()];
}

function fieldsOf(literal: ts.ObjectLiteralExpression): Fields {
  const fields: Fields = {};
  for (const property of literal.properties) {
    const name = property.name?.getText() as keyof Made | undefined;
    if (name === undefined || !["code", "kind", "message", "fix"].includes(name)) continue;
    if (ts.isPropertyAssignment(property)) fields[name] = property.initializer;
    else if (ts.isShorthandPropertyAssignment(property)) fields[name] = property.name;
  }
  return fields;
}

/** What the parameters of the functions around stand for. */
type Bindings = ReadonlyMap<ts.ParameterDeclaration, ts.Expression>;

/** Texts of the fields; where one hangs on a parameter, once for every call of the function around it. */
function resolve(fields: Fields, calls: Calls, checker: ts.TypeChecker, bindings: Bindings = new Map()): Made[] {
  const open = Object.values(fields)
    .flatMap((expression) => parameterOf(expression, checker, bindings) ?? [])
    .find((parameter) => calls.has(parameter.parent as ts.SignatureDeclaration));
  if (open && bindings.size < 12) {
    const { parameters } = open.parent as ts.SignatureDeclaration;
    return (calls.get(open.parent as ts.SignatureDeclaration) ?? []).flatMap((call) => {
      const bound = new Map(bindings);
      for (const [at, parameter] of parameters.entries()) {
        const given = call.arguments[at] ?? parameter.initializer;
        if (given) bound.set(parameter, given);
      }
      return bound.has(open) ? resolve(fields, calls, checker, bound) : [];
    });
  }
  const texts = (name: keyof Made) => (fields[name] ? textsOf(fields[name], checker, bindings) : [""]);
  const kinds = texts("kind");
  // An error that repeats an earlier one has its kind; it is listed once.
  return texts("code").flatMap((code) =>
    (kinds.length > 3 ? kinds.slice(0, 1) : kinds).map((kind) => ({
      code,
      kind,
      message: texts("message")[0] ?? "",
      fix: texts("fix")[0] ?? "",
    })),
  );
}

/** The parameter that an expression hangs on and that nothing is bound to yet. */
function parameterOf(
  expression: ts.Expression,
  checker: ts.TypeChecker,
  bindings: Bindings,
): ts.ParameterDeclaration | undefined {
  if (ts.isElementAccessExpression(expression)) return parameterOf(expression.argumentExpression, checker, bindings);
  if (ts.isBinaryExpression(expression)) return parameterOf(expression.left, checker, bindings);
  if (!ts.isIdentifier(expression)) return undefined;
  const parameter = declaredAs(expression, checker);
  const bound = parameter && bindings.get(parameter);
  return bound ? parameterOf(bound, checker, bindings) : parameter;
}

function declaredAs(identifier: ts.Identifier, checker: ts.TypeChecker): ts.ParameterDeclaration | undefined {
  let symbol = checker.getSymbolAtLocation(identifier);
  if (symbol && ts.isShorthandPropertyAssignment(identifier.parent)) {
    symbol = checker.getShorthandAssignmentValueSymbol(identifier.parent) ?? symbol;
  }
  const declaration = symbol?.valueDeclaration;
  return declaration && ts.isParameter(declaration) ? declaration : undefined;
}

/** What an expression may say; parts that are only known when it runs are `…`. */
function textsOf(expression: ts.Expression, checker: ts.TypeChecker, bindings: Bindings): string[] {
  if (ts.isStringLiteralLike(expression)) return [expression.text];
  if (ts.isTemplateExpression(expression)) {
    return [expression.head.text + expression.templateSpans.map(({ literal }) => `…${literal.text}`).join("")];
  }
  if (ts.isConditionalExpression(expression)) {
    return [expression.whenTrue, expression.whenFalse].flatMap((one) => textsOf(one, checker, bindings));
  }
  if (ts.isBinaryExpression(expression) && expression.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const [left, right] = [expression.left, expression.right].map((one) => textsOf(one, checker, bindings)[0]);
    return [`${left}${right}`];
  }
  if (ts.isIdentifier(expression)) {
    const parameter = declaredAs(expression, checker);
    const bound = parameter && bindings.get(parameter);
    if (bound) return textsOf(bound, checker, bindings);
  }
  if (ts.isElementAccessExpression(expression)) {
    const rows = tableOf(expression.expression, checker);
    const found = textsOf(expression.argumentExpression, checker, bindings).flatMap((name) => {
      const row = rows.find((property) => property.name.getText() === name);
      return row ? textsOf(row.initializer, checker, bindings) : [];
    });
    if (found.length > 0) return found;
  }
  return literalsOf(checker.getTypeAtLocation(expression));
}

/** The rows of a table that is written down as an object. */
function tableOf(expression: ts.Expression, checker: ts.TypeChecker): ts.PropertyAssignment[] {
  const declaration = checker.getSymbolAtLocation(expression)?.valueDeclaration;
  const table = declaration && ts.isVariableDeclaration(declaration) ? declaration.initializer : undefined;
  return table && ts.isObjectLiteralExpression(table) ? table.properties.filter(ts.isPropertyAssignment) : [];
}

function literalsOf(type: ts.Type): string[] {
  const members = type.isUnion() ? type.types : [type];
  if (!members.every((member) => member.isStringLiteral())) return ["…"];
  return members.map((member) => (member as ts.StringLiteralType).value);
}

type Calls = Map<ts.SignatureDeclaration, ts.CallExpression[]>;

function callsByFunction(sources: readonly ts.SourceFile[], checker: ts.TypeChecker): Calls {
  const calls: Calls = new Map();
  for (const source of sources) {
    visit(source, (node) => {
      if (!ts.isCallExpression(node)) return;
      const declaration = checker.getResolvedSignature(node)?.declaration;
      if (!declaration || ts.isJSDocSignature(declaration)) return;
      const known = calls.get(declaration);
      if (known) known.push(node);
      else calls.set(declaration, [node]);
    });
  }
  return calls;
}

function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  node.forEachChild((child) => visit(child, look));
}

if (import.meta.main) {
  writeFileSync(target, errorsPage());
  console.log(target.pathname);
}
