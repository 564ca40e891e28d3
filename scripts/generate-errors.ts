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

/** What an error's literal sets. */
type Fields = Partial<Record<keyof Made, ts.Expression>>;

const KINDS: Readonly<Record<string, { title: string; meaning: string }>> = {
  retry: { title: "Try again later", meaning: "Nothing is wrong with what you asked; the same call succeeds later." },
  reauthorize: {
    title: "A person has to act at Snapchat",
    meaning:
      "Somebody has to sign in at Snapchat again or paste a new token; [A login is lost](operating.md#a-login-is-lost) is the runbook.",
  },
  fix_configuration: {
    title: "Change the set-up",
    meaning: "Something in the set-up is wrong and stays wrong until it is changed.",
  },
  fix_data: { title: "Change the input", meaning: "This input is wrong; other input is fine." },
  capacity: { title: "Too much at once", meaning: "A limit is reached; the same call succeeds when there is room." },
  bug: { title: "A fault in code", meaning: "A fault of the code that calls, of an adapter or of this package." },
};

/** Where a page says more. */
const MORE: Readonly<Record<string, string>> = {
  reauth_required: "See [A login is lost](operating.md#a-login-is-lost).",
};

/** An error that says again what another said. */
const REPEATED = "`kind` and `fix` are those of the error that it repeats; `details.reason` is that one's code.";

const HEAD = `# Errors

<!-- Made by scripts/generate-errors.ts from the source. Do not edit. -->

Every failure is a \`SnapchatError\` with a stable \`code\`, a \`kind\` that says what a caller does about it, a message that says
what happened, and \`fix\`, which says what to do. \`isSnapchatError(error)\` tells them from others, also across two copies of the
package. No message holds a payload, a token or a person; \`{in braces}\` stands for an id, a number or a name of the set-up. A code that is
said in several ways has all of them.

Reasons on receipts and dead letters are not errors: [reasons.md](reasons.md) lists them.
`;

/** The whole file. */
export function errorsPage(): string {
  const byKind = Map.groupBy(collect(), ({ kind }) => kind);
  const sections = Object.entries(KINDS).flatMap(([kind, { title, meaning }]) => {
    const rows = rowsOf(byKind.get(kind) ?? []);
    if (rows.length === 0) return [];
    return [
      `## ${title}: ${kind}\n\n${meaning}\n\n| code | what happened | what to do |\n| --- | --- | --- |\n${rows.join("\n")}`,
    ];
  });
  return `${HEAD}\n${sections.join("\n\n")}\n`;
}

/** One row for a code and what to do, with every way in which it is said what happened. */
function rowsOf(made: readonly Made[]): string[] {
  const sorted = made.toSorted((a, b) => (a.code < b.code ? -1 : a.code > b.code ? 1 : 0));
  const rows = Map.groupBy(sorted, ({ code, fix }) => `${code} ${fix}`);
  return [...rows.values()].flatMap((same) => {
    const [first] = same;
    if (!first) return [];
    const messages = [...new Set(same.map(({ message }) => cell(message)))];
    const fix = [cell(first.fix), MORE[first.code]].filter(Boolean).join(" ");
    return [`| \`${first.code}\` | ${messages.join("<br>")} | ${fix} |`];
  });
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
      const at: At = { checker, calls, bindings: new Map() };
      for (const { fields, world } of fieldsOf(argument, at, new Map())) {
        for (const one of resolve(fields, at, world)) {
          if (/^($|\{)/.test(one.code)) continue;
          made.set(JSON.stringify(one), one);
        }
      }
    });
  }
  return [...made.values()];
}

/** What is known at an expression. */
interface At {
  checker: ts.TypeChecker;
  calls: Calls;
  /** What the parameters of the functions around stand for. */
  bindings: Bindings;
  /** A text that is put together of parts is said once for each that a part may be: a code is. */
  whole?: boolean;
}

type Bindings = ReadonlyMap<ts.ParameterDeclaration, ts.Expression>;

/** Which way each condition went and which value a name has, so that the fields of one error belong together. */
type World = ReadonlyMap<string | ts.Symbol, string>;

interface Said {
  text: string;
  world: World;
}

/** Fields of a literal, also those that it takes over from another one: once for each that it may be. */
function fieldsOf(literal: ts.Expression, at: At, world: World): { fields: Fields; world: World }[] {
  if (ts.isObjectLiteralExpression(literal)) {
    let found: { fields: Fields; world: World }[] = [{ fields: {}, world }];
    for (const property of literal.properties) {
      if (ts.isSpreadAssignment(property)) {
        found = found.flatMap(({ fields, world }) =>
          fieldsOf(property.expression, at, world).map((more) => ({
            fields: { ...fields, ...more.fields },
            world: more.world,
          })),
        );
        continue;
      }
      const name = property.name?.getText() as keyof Made | undefined;
      if (name === undefined || !["code", "kind", "message", "fix"].includes(name)) continue;
      for (const one of found) {
        if (ts.isPropertyAssignment(property)) one.fields[name] = property.initializer;
        else if (ts.isShorthandPropertyAssignment(property)) one.fields[name] = property.name;
      }
    }
    return found;
  }
  const constant = ts.isIdentifier(literal) ? constantOf(literal, at.checker) : undefined;
  if (constant) return fieldsOf(constant, at, world);
  if (ts.isBinaryExpression(literal) && literal.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken) {
    const { left, right } = literal;
    const name = ts.isElementAccessExpression(left) && at.checker.getSymbolAtLocation(left.argumentExpression);
    if (!ts.isElementAccessExpression(left) || !name) return [{ fields: {}, world }];
    const rows = tableOf(left.expression, at.checker);
    const names = rows.map((row) => row.name.getText());
    const others = textsOf(left.argumentExpression, at, world).filter(
      ({ text }) => !names.includes(text) && !text.includes("{"),
    );
    return [
      ...rows.flatMap((row) => fieldsOf(row.initializer, at, holding(world, name, row.name.getText()))),
      ...others.flatMap(({ text }) => fieldsOf(right, at, holding(world, name, text))),
    ];
  }
  return [{ fields: {}, world }];
}

const holding = (world: World, key: string | ts.Symbol, value: string): World => new Map(world).set(key, value);

/** Texts of the fields; where one hangs on a parameter, once for every call of the function around it. */
function resolve(fields: Fields, at: At, world: World): Made[] {
  const { checker, calls, bindings } = at;
  const open = Object.entries(fields)
    .flatMap(([name, expression]) => parameterOf(expression, checker, bindings, name === "code") ?? [])
    .find((parameter) => calls.has(parameter.parent as ts.SignatureDeclaration));
  if (open && bindings.size < 12) {
    const { parameters } = open.parent as ts.SignatureDeclaration;
    return (calls.get(open.parent as ts.SignatureDeclaration) ?? []).flatMap((call) => {
      const bound = new Map(bindings);
      for (const [index, parameter] of parameters.entries()) {
        const given = call.arguments[index] ?? parameter.initializer;
        if (given) bound.set(parameter, given);
      }
      return bound.has(open) ? resolve({ ...fields, ...assignedTo(call) }, { ...at, bindings: bound }, world) : [];
    });
  }
  const texts = (name: keyof Made, world: World): Said[] =>
    fields[name] ? textsOf(fields[name], at, world) : [{ text: "", world }];
  const codes = fields.code ? textsOf(fields.code, { ...at, whole: true }, world) : [];
  return codes.flatMap((code) => {
    const kinds = texts("kind", code.world);
    // An error that repeats an earlier one has its kind; it is listed once.
    const repeats = kinds.length > 3 || kinds.some(({ text }) => text.includes("{"));
    return (repeats ? [{ text: "retry", world: code.world }] : kinds).flatMap((kind) =>
      texts("fix", kind.world).flatMap((fix) =>
        texts("message", fix.world).map((message) => ({
          code: code.text,
          kind: kind.text,
          message: message.text,
          fix: repeats ? REPEATED : fix.text,
        })),
      ),
    );
  });
}

/** The kind that `Object.assign` gives to an error that a call makes. */
function assignedTo(call: ts.CallExpression): Fields {
  const { parent } = call;
  if (!ts.isCallExpression(parent) || parent.expression.getText() !== "Object.assign") return {};
  const [target, given] = parent.arguments;
  if (target !== call || !given || !ts.isObjectLiteralExpression(given)) return {};
  const kind = given.properties.find(({ name }) => name?.getText() === "kind");
  if (kind && ts.isPropertyAssignment(kind)) return { kind: kind.initializer };
  return kind && ts.isShorthandPropertyAssignment(kind) ? { kind: kind.name } : {};
}

/** The parameter that an expression hangs on and that nothing is bound to yet. */
function parameterOf(
  expression: ts.Expression,
  checker: ts.TypeChecker,
  bindings: Bindings,
  whole = false,
): ts.ParameterDeclaration | undefined {
  if (ts.isElementAccessExpression(expression)) return parameterOf(expression.argumentExpression, checker, bindings);
  if (ts.isBinaryExpression(expression)) return parameterOf(expression.left, checker, bindings);
  if (whole && ts.isTemplateExpression(expression)) {
    const parts = expression.templateSpans.map((span) => parameterOf(span.expression, checker, bindings));
    return parts.find((part) => part !== undefined);
  }
  if (!ts.isIdentifier(expression)) return undefined;
  const parameter = declaredAs(expression, checker);
  const bound = parameter && bindings.get(parameter);
  return bound ? parameterOf(bound, checker, bindings, whole) : parameter;
}

function declaredAs(identifier: ts.Identifier, checker: ts.TypeChecker): ts.ParameterDeclaration | undefined {
  const declaration = symbolOf(identifier, checker)?.valueDeclaration;
  return declaration && ts.isParameter(declaration) ? declaration : undefined;
}

function symbolOf(identifier: ts.Identifier, checker: ts.TypeChecker): ts.Symbol | undefined {
  const shorthand = ts.isShorthandPropertyAssignment(identifier.parent) ? identifier.parent : undefined;
  return (shorthand && checker.getShorthandAssignmentValueSymbol(shorthand)) ?? checker.getSymbolAtLocation(identifier);
}

/** What an expression may say; parts that are only known when it runs are named in braces. */
function textsOf(expression: ts.Expression, at: At, world: World): Said[] {
  const { checker, bindings } = at;
  if (ts.isParenthesizedExpression(expression) || ts.isAsExpression(expression)) {
    return textsOf(expression.expression, at, world);
  }
  if (ts.isStringLiteralLike(expression)) return [{ text: expression.text, world }];
  if (ts.isTemplateExpression(expression)) {
    if (at.whole) return codesOf(expression, at, world);
    const { head, templateSpans } = expression;
    const before = (index: number) => templateSpans[index - 1]?.literal.text ?? head.text;
    const spans = templateSpans.map(
      ({ expression, literal }, index) => spanOf(expression, at, world, before(index)) + literal.text,
    );
    return [{ text: head.text + spans.join(""), world }];
  }
  if (ts.isConditionalExpression(expression)) {
    const key = `${expression.getSourceFile().fileName} ${expression.condition.getText()}`;
    return [
      { branch: expression.whenTrue, went: "true" },
      { branch: expression.whenFalse, went: "false" },
    ].flatMap(({ branch, went }) =>
      (world.get(key) ?? decided(expression.condition, checker, world) ?? went) === went
        ? textsOf(branch, at, holding(world, key, went))
        : [],
    );
  }
  if (ts.isBinaryExpression(expression)) {
    const { left, right, operatorToken } = expression;
    if (operatorToken.kind === ts.SyntaxKind.PlusToken && !isNumber(expression, checker)) {
      return textsOf(left, at, world).flatMap((one) =>
        textsOf(right, at, one.world).map(({ text, world }) => ({ text: one.text + text, world })),
      );
    }
    if (operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken) {
      const symbol = ts.isIdentifier(left) ? symbolOf(left, checker) : undefined;
      const literals = literalsOf(checker.getNonNullableType(checker.getTypeAtLocation(left)));
      if (symbol && literals) {
        const found = literals.map((text) => ({ text, world: holding(world, symbol, text) }));
        return [...found, ...textsOf(right, at, holding(world, symbol, "undefined"))];
      }
      const first = textsOf(left, at, world);
      return first.some(({ text }) => text.includes("{")) ? [...first, ...textsOf(right, at, world)] : first;
    }
  }
  if (ts.isIdentifier(expression)) {
    const symbol = symbolOf(expression, checker);
    const chosen = symbol && world.get(symbol);
    if (chosen !== undefined) return [{ text: chosen, world }];
    const parameter = declaredAs(expression, checker);
    const value = (parameter && bindings.get(parameter)) ?? constantOf(expression, checker);
    const literals = literalsOf(checker.getTypeAtLocation(expression));
    if (value && !(literals && !parameter)) {
      return textsOf(value, at, world).map(({ text, world }) => {
        if (/^\{[^{}]*\}$/.test(text)) return { text: `{${nameOf(expression)}}`, world };
        return { text, world: symbol && !text.includes("{") ? holding(world, symbol, text) : world };
      });
    }
    if (literals && symbol) return literals.map((text) => ({ text, world: holding(world, symbol, text) }));
  }
  if (ts.isElementAccessExpression(expression)) {
    const rows = tableOf(expression.expression, checker);
    const found = textsOf(expression.argumentExpression, at, world).flatMap(({ text, world }) => {
      const row = rows.find(({ name }) => name.getText() === text);
      return row ? textsOf(row.initializer, at, world) : [];
    });
    if (found.length > 0) return found;
  }
  const literals = literalsOf(checker.getTypeAtLocation(expression)) ?? [`{${nameOf(expression)}}`];
  return literals.map((text) => ({ text, world }));
}

/** Codes that are put together of parts: one for each that a part may be. */
function codesOf({ head, templateSpans }: ts.TemplateExpression, at: At, world: World): Said[] {
  let codes: Said[] = [{ text: head.text, world }];
  for (const { expression, literal } of templateSpans) {
    codes = codes.flatMap((code) => {
      // The code of an error that was caught is any.
      const parts = ts.isPropertyAccessExpression(expression)
        ? [{ text: `{${nameOf(expression)}}`, world: code.world }]
        : textsOf(expression, at, code.world);
      return parts.map(({ text, world }) => ({ text: code.text + text + literal.text, world }));
    });
  }
  return codes;
}

/** A part of a sentence: the few things that it may say, or its name. */
function spanOf(expression: ts.Expression, at: At, world: World, before: string): string {
  const name = `{${nameOf(expression)}}`;
  // What is only sometimes added is left out.
  if (ts.isConditionalExpression(expression)) {
    const branches = [expression.whenTrue, expression.whenFalse];
    if (branches.some((one) => ts.isStringLiteralLike(one) && one.text === "")) return "";
  }
  // "none" for what is absent is no word of its own.
  if (ts.isBinaryExpression(expression) && ts.isStringLiteralLike(expression.right)) {
    return spanOf(expression.left, at, world, before);
  }
  const texts = textsOf(expression, at, world).map(({ text }) => text);
  const said = new Set(texts.includes(name) ? texts.filter((text) => !/^\d+$/.test(text)) : texts);
  if (said.size > 1 && /[`"“]$/.test(before)) return name;
  const parameter = ts.isIdentifier(expression) ? declaredAs(expression, at.checker) : undefined;
  if (parameter && said.size === 1 && said.has(name)) {
    const index = (parameter.parent as ts.SignatureDeclaration).parameters.indexOf(parameter);
    const given = (at.calls.get(parameter.parent as ts.SignatureDeclaration) ?? []).map(
      (call) => call.arguments[index],
    );
    const texts = new Set(given.map((one) => (one && ts.isStringLiteralLike(one) ? one.text : name)));
    if (texts.size <= FEW && !texts.has(name) && texts.size > 0) return inWords([...texts]);
  }
  return said.size > FEW || said.size === 0 ? name : inWords([...said]);
}

const FEW = 5;

const inWords = (texts: string[]): string =>
  texts.some((text) => text.includes(" "))
    ? texts.join(" / ")
    : [texts.slice(0, -1).join(", "), texts.at(-1)].filter(Boolean).join(" or ");

/** Which way a comparison with a literal goes where the value is known. */
function decided(condition: ts.Expression, checker: ts.TypeChecker, world: World): string | undefined {
  if (!ts.isBinaryExpression(condition) || !ts.isStringLiteralLike(condition.right)) return undefined;
  const { left, right, operatorToken } = condition;
  const symbol = ts.isIdentifier(left) ? symbolOf(left, checker) : undefined;
  const value = symbol && world.get(symbol);
  if (value === undefined) return undefined;
  if (operatorToken.kind === ts.SyntaxKind.EqualsEqualsEqualsToken) return String(value === right.text);
  return operatorToken.kind === ts.SyntaxKind.ExclamationEqualsEqualsToken ? String(value !== right.text) : undefined;
}

/** The value of a name that is declared by `const` with one. */
function constantOf(identifier: ts.Identifier, checker: ts.TypeChecker): ts.Expression | undefined {
  const symbol = symbolOf(identifier, checker);
  const imported = symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const declaration = imported?.valueDeclaration;
  if (!declaration || !ts.isVariableDeclaration(declaration) || !ts.isIdentifier(declaration.name)) return undefined;
  return ts.getCombinedNodeFlags(declaration) & ts.NodeFlags.Const ? declaration.initializer : undefined;
}

/** Calls that change how a value is written and not what it is. */
const WRITES =
  /^(join|slice|map|filter|toString|toFixed|toLowerCase|toLocaleString|trim|sort|toSorted|concat|round|find|at)$/;

/** A readable name of what is only known when it runs. */
function nameOf(expression: ts.Expression): string {
  if (ts.isIdentifier(expression)) return spaced(expression.text);
  if (ts.isPropertyAccessExpression(expression)) {
    const { expression: of, name } = expression;
    if (name.text === "length") return "number";
    // A name or an id says little without whose it is.
    return /^(name|id|code)$/.test(name.text) && of.getText() !== "error"
      ? `${nameOf(of)} ${name.text}`
      : spaced(name.text);
  }
  if (ts.isCallExpression(expression)) {
    const { expression: called, arguments: given } = expression;
    if (ts.isPropertyAccessExpression(called)) {
      if (/^(Object|Math|JSON|Array)$/.test(called.expression.getText()) && given[0]) return nameOf(given[0]);
      return WRITES.test(called.name.text) ? nameOf(called.expression) : spaced(called.name.text);
    }
    return given[0] && /^(String|Number)$/.test(called.getText()) ? nameOf(given[0]) : nameOf(called);
  }
  if (ts.isBinaryExpression(expression)) return nameOf(expression.left);
  if (ts.isConditionalExpression(expression)) return nameOf(expression.whenTrue);
  if (ts.isElementAccessExpression(expression) || ts.isParenthesizedExpression(expression)) {
    return nameOf(expression.expression);
  }
  if (ts.isNonNullExpression(expression) || ts.isAsExpression(expression)) return nameOf(expression.expression);
  if (ts.isArrayLiteralExpression(expression) || ts.isSpreadElement(expression)) {
    const [first] = ts.isSpreadElement(expression) ? [expression.expression] : expression.elements;
    return first ? nameOf(first) : "list";
  }
  return "text";
}

/** Names in the source that say too little without it. */
const CLEARER: Readonly<Record<string, string>> = {
  label: "request",
  words: "problem",
  why: "reason",
  at: "position",
  originOf: "its origin",
};

const spaced = (name: string): string =>
  CLEARER[name] ??
  (/^[A-Z_]+$/.test(name)
    ? name.toLowerCase().replaceAll("_", " ")
    : name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`));

/** The rows of a table that is written down as an object. */
function tableOf(expression: ts.Expression, checker: ts.TypeChecker): ts.PropertyAssignment[] {
  const declaration = checker.getSymbolAtLocation(expression)?.valueDeclaration;
  const value = declaration && ts.isVariableDeclaration(declaration) ? declaration.initializer : undefined;
  const table = value && ts.isAsExpression(value) ? value.expression : value;
  return table && ts.isObjectLiteralExpression(table) ? table.properties.filter(ts.isPropertyAssignment) : [];
}

/** Texts or numbers that a type is made of; `undefined` where it is anything else. */
function literalsOf(type: ts.Type): string[] | undefined {
  const members = type.isUnion() ? type.types : [type];
  const literals = members.filter((member) => member.isStringLiteral() || member.isNumberLiteral());
  return literals.length === members.length ? literals.map(({ value }) => String(value)) : undefined;
}

const isNumber = (expression: ts.Expression, checker: ts.TypeChecker): boolean =>
  (checker.getTypeAtLocation(expression).flags & ts.TypeFlags.NumberLike) !== 0;

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
