import { compileFilter, type Test } from "./filter.ts";
import { CONVERSIONS, compileMapping, type Library } from "./mapping.ts";
import { compilePath } from "./path.ts";
import { copyPlain } from "./values.ts";
import { type Condition, type Filter, type Mapping, WORKFLOW_LIMITS } from "./workflow.ts";
import { compileWriter, type Fields, type Finish, type Writer } from "./writer.ts";

/**
 * The server's writers: the same fields as {@link compileWriter} writes, as one function made from source text, because
 * the engine then knows every place that is read and written (three times as fast). Where a runtime does not make
 * functions from text, the closures do the work.
 *
 * What comes from a workflow reaches the text only through {@link literal}; all else stands in a list of constants.
 * Writers are made at first use and shared: a thousand tenants on one preset have one.
 */
export function generateWriter(fields: Fields, library: Library, finish?: Finish): Writer {
  const key = `${finish ? "1" : "0"}${JSON.stringify(fields)}`;
  let made = MADE.get(library);
  if (!made) {
    made = new Map();
    MADE.set(library, made);
  }
  const known = made.get(key);
  if (known) return known;
  let write: Writer = (out, event) => {
    write = build(fields, library, finish);
    return write(out, event);
  };
  const writer: Writer = (out, event) => write(out, event);
  if (made.size >= REMEMBERED) made.clear();
  made.set(key, writer);
  return writer;
}

const MADE = new WeakMap<Library, Map<string, Writer>>();
const REMEMBERED = 2_000;

function build(fields: Fields, library: Library, finish: Finish | undefined): Writer {
  const source = new SourceText(library);
  const done = finish && source.constant(finish);
  const lines = Object.keys(fields).map((key) => {
    const made = source.mapping(fields[key] as Mapping, true);
    const value = done ? source.assign(made, `${done}(${made.name})`) : made;
    return `${value.lines}if (!${absent(value.name)}) { out[${literal(key)}] = ${value.name}; any = true; }\n`;
  });
  try {
    const make = new Function(
      "c",
      `"use strict"; return (out, event) => { let item, any = false;\n${lines.join("")}return any; };`,
    );
    return make(source.constants) as Writer;
  } catch {
    return compileWriter(fields, library, finish);
  }
}

/** The server's filters, made as its writers are. */
export function generateTest(filter: Filter, library: Library): Test {
  const source = new SourceText(library);
  const test = source.filter(filter);
  try {
    return new Function("c", `"use strict"; return (event, item) => { ${test.lines}return ${test.name}; };`)(
      source.constants,
    );
  } catch {
    return compileFilter(filter, library.operators);
  }
}

/** A text as source: JSON's spelling of a text is JavaScript's. */
function literal(text: string | number | boolean): string {
  return JSON.stringify(text);
}

const absent = (name: string) => `(${name} === undefined || ${name} === null || ${name} === "" || ${name} !== ${name})`;
const isBag = (name: string) => `typeof ${name} === "object" && ${name} !== null`;

/** A variable and the lines that fill it. */
interface Made {
  name: string;
  lines: string;
}

/** A text that no number equals, so that being the same text is all there is to ask. */
function isWord(value: unknown): boolean {
  return typeof value === "string" && value !== "" && Number.isNaN(Number(value));
}

class SourceText {
  readonly constants: unknown[] = [];
  readonly #library: Library;
  #names = 0;

  constructor(library: Library) {
    this.#library = library;
  }

  constant(value: unknown): string {
    return `c[${this.constants.push(value) - 1}]`;
  }

  assign(before: Made | undefined, expression: string): Made {
    const name = `v${this.#names++}`;
    return { name, lines: `${before?.lines ?? ""}let ${name} = ${expression};\n` };
  }

  /** @param keep the value is written, so foreign objects are copied; a function that only reads gets them as they are. */
  mapping(mapping: Mapping, keep: boolean): Made {
    if ("path" in mapping) return this.#path(mapping.path, keep);
    if ("value" in mapping) return this.assign(undefined, literal(mapping.value));
    if ("first" in mapping) return this.#first(mapping.first, keep);
    if ("if" in mapping) return this.#if(mapping, keep);
    if ("each" in mapping) return this.#each(mapping.each, mapping.to);
    if ("object" in mapping) return this.#object(mapping.object);
    if ("call" in mapping) return this.#call(mapping.call, mapping.with ?? []);
    for (const [key, convert] of CONVERSIONS) {
      if (!(key in mapping)) continue;
      const inner = this.mapping((mapping as Record<string, Mapping>)[key] as Mapping, false);
      return this.assign(inner, `${this.constant(convert)}(${inner.name})`);
    }
    return this.assign(undefined, `${this.constant(compileMapping(mapping, this.#library))}(event, item)`);
  }

  filter(filter: Filter): Made {
    if ("not" in filter) {
      const test = this.filter(filter.not);
      return this.assign(test, `!${test.name}`);
    }
    const all = "and" in filter;
    const parts = all ? filter.and : "or" in filter ? filter.or : undefined;
    if (!parts) return this.#condition(filter as Condition);
    const result = this.assign(undefined, String(all));
    for (const part of parts) {
      const test = this.filter(part);
      result.lines += `if (${all ? "" : "!"}${result.name}) {\n${test.lines}${result.name} = ${test.name};\n}\n`;
    }
    return result;
  }

  #condition({ path, op, value }: Condition): Made {
    const found = this.#path(path, false);
    const is = (one: unknown) => `${found.name} === ${literal(one as string)}`;
    const list = Array.isArray(value) ? (value as readonly unknown[]) : [];
    if (op === "exists") return this.assign(found, `${value === false ? "" : "!"}${absent(found.name)}`);
    if (op === "equals" && isWord(value)) return this.assign(found, is(value));
    if (op === "in" && list.length > 0 && list.every(isWord)) return this.assign(found, list.map(is).join(" || "));
    const { operators } = this.#library;
    const operator = Object.hasOwn(operators, op) ? operators[op] : undefined;
    if (!operator) return this.assign(found, "false");
    return this.assign(found, `${this.constant(operator)}(${found.name}, ${this.constant(value)}) === true`);
  }

  #path(path: string, keep: boolean): Made {
    const keys = path.split(".");
    const local = keys[0] === "item";
    if (local) keys.shift();
    // Keys that lists or all objects have need the walked path's care; so do long paths.
    const plain = keys.length > 0 && keys.length < 4 && !keys.some((key) => key in [] || /^\d+$/.test(key));
    const start = local ? "item" : "event";
    const made = plain
      ? keys.reduce<Made>(
          (from, key) => this.assign(from, `${isBag(from.name)} ? ${from.name}[${literal(key)}] : undefined`),
          { name: start, lines: "" },
        )
      : this.assign(undefined, `${this.constant(compilePath(path))}(event, item)`);
    if (!keep) return made;
    const foreign = `typeof ${made.name} === "object" || typeof ${made.name} === "function"`;
    return {
      ...made,
      lines: `${made.lines}if (${foreign}) ${made.name} = ${this.constant(copyPlain)}(${made.name});\n`,
    };
  }

  #first(parts: readonly Mapping[], keep: boolean): Made {
    const result = this.assign(undefined, "undefined");
    for (const part of parts) {
      const made = this.mapping(part, keep);
      result.lines += `if (${absent(result.name)}) {\n${made.lines}${result.name} = ${made.name};\n}\n`;
    }
    // The last part may have found `null` or empty text; the writer leaves either out.
    return result;
  }

  #if(mapping: Extract<Mapping, { if: unknown }>, keep: boolean): Made {
    const test = this.filter(mapping.if);
    const result = this.assign(test, "undefined");
    const yes = this.mapping(mapping.use, keep);
    result.lines += `if (${test.name}) {\n${yes.lines}${result.name} = ${yes.name};\n}`;
    if (mapping.else) {
      const no = this.mapping(mapping.else, keep);
      result.lines += ` else {\n${no.lines}${result.name} = ${no.name};\n}`;
    }
    result.lines += "\n";
    return result;
  }

  #each(path: string, to: Mapping): Made {
    const list = this.#path(path, false);
    const result = this.assign(list, "undefined");
    const outer = this.assign(undefined, "item");
    const [index, length] = [`i${this.#names++}`, `n${this.#names++}`];
    const entry = this.mapping(to, true);
    result.lines +=
      `if (Array.isArray(${list.name})) {\n${outer.lines}const ${length} = Math.min(${list.name}.length, ${WORKFLOW_LIMITS.items});\n` +
      `for (let ${index} = 0; ${index} < ${length}; ${index}++) {\nitem = ${list.name}[${index}];\n${entry.lines}` +
      `if (!${absent(entry.name)}) { if (${result.name} === undefined) ${result.name} = [${entry.name}]; else ${result.name}.push(${entry.name}); }\n}\n` +
      `item = ${outer.name};\n}\n`;
    return result;
  }

  #object(parts: Fields): Made {
    const result = this.assign(undefined, "undefined");
    for (const key of Object.keys(parts)) {
      if (key === "__proto__") continue;
      const made = this.mapping(parts[key] as Mapping, true);
      result.lines += `${made.lines}if (!${absent(made.name)}) { if (${result.name} === undefined) ${result.name} = {}; ${result.name}[${literal(key)}] = ${made.name}; }\n`;
    }
    return result;
  }

  #call(name: string, inputs: readonly Mapping[]): Made {
    const { functions } = this.#library;
    const call = Object.hasOwn(functions, name) ? functions[name] : undefined;
    const made = inputs.map((part) => this.mapping(part, !("path" in part)));
    const lines = made.map((part) => part.lines).join("");
    if (!call) return this.assign({ name: "", lines }, "undefined");
    return this.assign({ name: "", lines }, `${this.constant(call)}(${made.map((part) => part.name).join(", ")})`);
  }
}
