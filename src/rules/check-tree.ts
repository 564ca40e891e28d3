import type { Library } from "./mapping.ts";
import { WORKFLOW_LIMITS } from "./workflow.ts";

/** Takes note of one problem: where, which, and what would be right. */
export type Say = (path: string, code: string, message: string) => void;

export type Json = Record<string, unknown>;

/** An object that is no list. */
export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Text of a sensible length. */
export const isText = (value: unknown): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= WORKFLOW_LIMITS.text;

/** Checks filters and mappings; both walk with one bound for depth and one for size, so a cycle ends too. */
export interface TreeChecker {
  filter(node: unknown, at: string): void;
  mapping(node: unknown, at: string): void;
}

/** A checker that knows the functions and operators of `library`. */
export function treeChecker(library: Library, say: Say): TreeChecker {
  let nodes = 0;
  const enter = (node: unknown, at: string, depth: number): node is Json => {
    if (!isObject(node)) say(at, "wrong_type", "must be an object");
    else if (depth > WORKFLOW_LIMITS.depth || ++nodes > WORKFLOW_LIMITS.nodes) {
      say(at, "too_large", `at most ${WORKFLOW_LIMITS.depth} levels and ${WORKFLOW_LIMITS.nodes} parts`);
    } else return true;
    return false;
  };
  const list = (value: unknown, at: string, visit: (node: unknown, at: string) => void) => {
    if (!Array.isArray(value) || value.length > WORKFLOW_LIMITS.nodes) say(at, "wrong_type", "must be a list");
    else for (const [index, node] of value.entries()) visit(node, `${at}.${index}`);
  };
  const path = (value: unknown, at: string) => {
    const keys = isText(value) ? value.split(".") : [""];
    if (keys.length > WORKFLOW_LIMITS.pathLength || keys.some((key) => key === "" || key in {})) {
      say(at, "bad_path", "a path is made of keys and dots, and none of a JavaScript object's own names");
    }
  };
  const known = (name: unknown, table: object, at: string, what: string) => {
    if (typeof name === "string" && Object.hasOwn(table, name)) return;
    say(at, `unknown_${what}`, `a known ${what} is one of ${Object.keys(table).join(", ")}`);
  };

  function filter(node: unknown, at: string, depth: number): void {
    if (!enter(node, at, depth)) return;
    const down = (part: unknown, where: string) => filter(part, where, depth + 1);
    const group = ["and", "or", "not"].filter((key) => key in node);
    const keys = group.length ? group.slice(0, 1) : ["path", "op", "value"];
    if (Object.keys(node).some((key) => !keys.includes(key))) {
      say(at, "unknown_filter", "a filter is one of and, or, not, or has path, op and value");
    } else if ("and" in node) list(node.and, `${at}.and`, down);
    else if ("or" in node) list(node.or, `${at}.or`, down);
    else if ("not" in node) down(node.not, `${at}.not`);
    else {
      path(node.path, `${at}.path`);
      known(node.op, library.operators, `${at}.op`, "operator");
      const wanted = Object.hasOwn(VALUES, String(node.op)) ? VALUES[String(node.op)] : VALUES.plugin;
      if (wanted && !wanted.fits(node.value)) say(`${at}.value`, "wrong_type", wanted.words);
    }
  }

  function mapping(node: unknown, at: string, depth: number): void {
    if (!enter(node, at, depth)) return;
    const [directive, ...more] = Object.keys(node).filter((key) => Object.hasOwn(DIRECTIVES, key));
    const companions = directive === undefined ? [] : (DIRECTIVES[directive] ?? []);
    const strange = Object.keys(node).filter((key) => key !== directive && !companions.includes(key));
    if (directive === undefined || more.length > 0 || strange.length > 0) {
      say(at, "unknown_directive", `a mapping has one directive of ${Object.keys(DIRECTIVES).join(", ")}`);
      return;
    }
    const inside = node[directive];
    const here = `${at}.${directive}`;
    const down = (part: unknown, where: string) => mapping(part, where, depth + 1);
    switch (directive) {
      case "path":
        path(inside, here);
        break;
      case "value":
        if (!isScalar(inside)) say(here, "wrong_type", "must be a text, a number, true or false");
        break;
      case "template":
        if (!isText(inside)) say(here, "wrong_type", "must be a text");
        break;
      case "first":
        list(inside, here, down);
        break;
      case "if":
        filter(inside, here, depth + 1);
        down(node.use, `${at}.use`);
        if (node.else !== undefined) down(node.else, `${at}.else`);
        break;
      case "each":
        path(inside, here);
        down(node.to, `${at}.to`);
        break;
      case "object":
        if (isObject(inside)) for (const [key, part] of Object.entries(inside)) down(part, `${here}.${key}`);
        else say(here, "wrong_type", "must be an object");
        break;
      case "call":
        known(inside, library.functions, here, "function");
        if (node.with !== undefined) list(node.with, `${at}.with`, down);
        break;
      default:
        down(inside, here);
    }
  }

  const start = (visit: (node: unknown, at: string, depth: number) => void) => (node: unknown, at: string) => {
    nodes = 0;
    visit(node, at, 0);
  };
  return { filter: start(filter), mapping: start(mapping) };
}

/** Directives of a mapping, and the keys that may stand beside each. */
const DIRECTIVES: Readonly<Record<string, readonly string[]>> = {
  path: [],
  value: [],
  first: [],
  template: [],
  if: ["use", "else"],
  each: ["to"],
  object: [],
  number: [],
  text: [],
  upper: [],
  lower: [],
  call: ["with"],
};

const TEXT = { fits: (value: unknown) => isText(value), words: "must be a text" };
const NUMBER = {
  fits: (value: unknown) => typeof value === "number" && Number.isFinite(value),
  words: "must be a number",
};
const isList = (value: unknown) =>
  Array.isArray(value) && value.length <= WORKFLOW_LIMITS.nodes && value.every(isScalar);

/** What each operator compares with; anything else would never hold, which is not what its author meant. */
const VALUES: Readonly<Record<string, { fits: (value: unknown) => boolean; words: string }>> = {
  equals: { fits: isScalar, words: "must be a text, a number, true or false" },
  in: { fits: isList, words: "must be a list of texts, numbers, true or false" },
  contains: { fits: isScalar, words: "must be a text, a number, true or false" },
  starts: TEXT,
  ends: TEXT,
  glob: TEXT,
  exists: {
    fits: (value) => value === undefined || typeof value === "boolean",
    words: "must be true, false or left out",
  },
  gt: NUMBER,
  gte: NUMBER,
  lt: NUMBER,
  lte: NUMBER,
  plugin: {
    fits: (value) => value === undefined || isScalar(value) || isList(value),
    words: "must be a text, a number, true or false, or a list of them",
  },
};

function isScalar(value: unknown): boolean {
  return typeof value === "string"
    ? value.length <= WORKFLOW_LIMITS.text
    : typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
}
