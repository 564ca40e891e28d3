import { EVENT_NAME_ALIASES } from "../wire/event-names.ts";
import { LIBRARY } from "./app-data.ts";
import { foldName } from "./fold.ts";
import type { Library } from "./mapping.ts";
import { ROOT_FIELDS } from "./rule.ts";
import { USER_FIELDS } from "./user-data.ts";
import { WORKFLOW_LIMITS } from "./workflow.ts";

/** What is wrong with a workflow, and where. */
export interface WorkflowProblem {
  /** Dotted path into the workflow: `rules.3.when.and.0.op`. */
  path: string;
  /** Stable, `snake_case`. */
  code: string;
  message: string;
}

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const DIRECTIVES = [
  "path",
  "value",
  "first",
  "template",
  "if",
  "each",
  "object",
  "number",
  "text",
  "upper",
  "lower",
  "call",
];
const COMPANIONS: Readonly<Record<string, readonly string[]>> = { if: ["then", "else"], each: ["to"], call: ["with"] };

/**
 * Everything that would keep a workflow from meaning what it says: unknown directives, operators and functions, two
 * rules with one id, two rules of one event with one target, a client toggle on a segment row, bounds. Total: any JSON,
 * also a cyclic or hostile one, gives a list.
 */
export function checkWorkflow(workflow: unknown, library: Library = LIBRARY): WorkflowProblem[] {
  const problems: WorkflowProblem[] = [];
  const say = (path: string, code: string, message: string) => {
    if (problems.length < 100) problems.push({ path, code, message });
  };
  if (!isObject(workflow)) {
    say("", "not_a_workflow", "a workflow is an object with `format` and `rules`");
    return problems;
  }
  if (workflow.format !== 1) {
    const newer = typeof workflow.format === "number" && workflow.format > 1;
    if (newer)
      say("format", "workflow_newer", `format ${workflow.format} is newer than this package, which reads format 1`);
    else say("format", "not_a_workflow", "`format` must be 1");
    return problems;
  }
  if (workflow.defaultCountry !== undefined && !/^[A-Z]{2}$/.test(String(workflow.defaultCountry))) {
    say("defaultCountry", "wrong_type", "must be a country's two letters in upper case");
  }
  const walk = treeChecker(library, say);
  checkFields(workflow.map, "map", walk, say);
  if (workflow.user !== undefined) checkUser(workflow.user, walk, say);
  for (const key of ["dedupe", "orderId"]) if (workflow[key] !== undefined) checkPaths(workflow[key], key, say);
  if (workflow.audience !== undefined) {
    const audience = workflow.audience;
    if (!isObject(audience)) say("audience", "wrong_type", "must be an object");
    else
      for (const key of ["key", "name"])
        if (key === "key" || key in audience) checkPaths(audience[key], `audience.${key}`, say);
  }
  if (workflow.aliases !== undefined) {
    if (!isObject(workflow.aliases)) say("aliases", "wrong_type", "must be an object of names");
    else
      for (const [key, to] of Object.entries(workflow.aliases))
        if (!isText(to)) say(`aliases.${key}`, "wrong_type", "must be a name");
  }
  if (!Array.isArray(workflow.rules)) say("rules", "wrong_type", "must be a list");
  else if (workflow.rules.length > WORKFLOW_LIMITS.rules) {
    say("rules", "too_many", `at most ${WORKFLOW_LIMITS.rules} rules`);
  } else checkRules(workflow.rules, walk, say);
  return problems;
}

type Say = (path: string, code: string, message: string) => void;
type Walk = ReturnType<typeof treeChecker>;

const isText = (value: unknown): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= WORKFLOW_LIMITS.text;

function checkPaths(value: unknown, at: string, say: Say): void {
  if (!Array.isArray(value) || value.length > 20 || !value.every(isText))
    say(at, "wrong_type", "must be a list of paths");
}

function checkFields(map: unknown, at: string, walk: Walk, say: Say): void {
  if (map === undefined) return;
  if (!isObject(map)) return say(at, "wrong_type", "must be an object of fields");
  for (const [field, mapping] of Object.entries(map)) {
    const known = ROOT_FIELDS.includes(field) || /^(custom_data|app_data)\.\w{1,100}$/.test(field);
    if (!known)
      say(
        `${at}.${field}`,
        "unknown_field",
        `a field is custom_data.…, app_data.… or one of ${ROOT_FIELDS.join(", ")}`,
      );
    walk.mapping(mapping, `${at}.${field}`);
  }
}

function checkUser(user: unknown, walk: Walk, say: Say): void {
  if (!isObject(user)) return say("user", "wrong_type", "must be an object of fields");
  for (const [field, mapping] of Object.entries(user)) {
    if (!(USER_FIELDS as readonly string[]).includes(field)) {
      say(`user.${field}`, "unknown_field", `user_data has no field of this name; it has ${USER_FIELDS.join(", ")}`);
    }
    walk.mapping(mapping, `user.${field}`);
  }
}

function checkRules(rules: readonly unknown[], walk: Walk, say: Say): void {
  const ids = new Set<string>();
  const targets = new Map<string, string>();
  for (const [index, rule] of rules.entries()) {
    const at = `rules.${index}`;
    if (!isObject(rule)) {
      say(at, "wrong_type", "must be an object");
      continue;
    }
    for (const key of ["id", "on", "to"]) if (!isText(rule[key])) say(`${at}.${key}`, "wrong_type", "must be a text");
    for (const key of ["server", "client"]) {
      if (typeof rule[key] !== "boolean") say(`${at}.${key}`, "wrong_type", "must be true or false");
    }
    if (!isText(rule.id) || !isText(rule.on) || !isText(rule.to)) continue;
    if (ids.has(rule.id)) say(`${at}.id`, "duplicate_id", `two rules have the id ${rule.id}`);
    ids.add(rule.id);
    checkTarget(rule.to, `${at}.to`, say);
    const target = rule.to.startsWith("segment:") ? rule.to : `${foldName(rule.on)} ${rule.to}`;
    const other = targets.get(target);
    if (other !== undefined) {
      say(
        `${at}.to`,
        "duplicate_target",
        `rule ${other} already sends this event to ${rule.to}: each would count once more`,
      );
    }
    targets.set(target, rule.id);
    if (rule.to.startsWith("segment:") && rule.client === true) {
      say(`${at}.client`, "client_not_available", "segments are kept in step by the server; the pixel cannot do it");
    }
    if (rule.when !== undefined) walk.filter(rule.when, `${at}.when`);
    checkFields(rule.map, `${at}.map`, walk, say);
    if (rule.dedupe !== undefined) checkPaths(rule.dedupe, `${at}.dedupe`, say);
    if (rule.consent !== undefined) checkConsentRule(rule.consent, `${at}.consent`, say);
  }
}

function checkTarget(to: string, at: string, say: Say): void {
  if (to === "segment:add" || to === "segment:remove") return;
  const meant = Object.hasOwn(EVENT_NAME_ALIASES, to) ? EVENT_NAME_ALIASES[to] : undefined;
  if (meant) say(at, "unknown_target", `Snapchat has no ${to}; its name is ${meant}`);
  else if (!/^[A-Z][A-Z0-9_]{0,63}$/.test(to)) {
    say(at, "unknown_target", "a target is a Snap event name in upper case, or segment:add or segment:remove");
  }
}

function checkConsentRule(consent: unknown, at: string, say: Say): void {
  if (!isObject(consent)) return say(at, "wrong_type", "must be an object");
  if (!Array.isArray(consent.names) || consent.names.length > 50 || !consent.names.every(isText)) {
    say(`${at}.names`, "wrong_type", "must be a list of names");
  }
  if (consent.absent !== "allow" && consent.absent !== "deny") {
    say(
      `${at}.absent`,
      "consent_absent_undecided",
      'must be "allow" or "deny": what an event without this consent means is your decision',
    );
  }
}

/** Walks filters and mappings with one bound for depth and one for size. */
function treeChecker(library: Library, say: Say) {
  let nodes = 0;
  const enter = (node: unknown, at: string, depth: number): node is Json => {
    if (depth === 0) nodes = 0;
    if (!isObject(node)) {
      say(at, "wrong_type", "must be an object");
      return false;
    }
    if (depth > WORKFLOW_LIMITS.depth || ++nodes > WORKFLOW_LIMITS.nodes) {
      say(at, "too_large", `at most ${WORKFLOW_LIMITS.depth} levels and ${WORKFLOW_LIMITS.nodes} parts`);
      return false;
    }
    return true;
  };
  const each = (list: unknown, at: string, visit: (node: unknown, at: string) => void) => {
    if (!Array.isArray(list) || list.length > WORKFLOW_LIMITS.nodes) return say(at, "wrong_type", "must be a list");
    for (const [index, node] of list.entries()) visit(node, `${at}.${index}`);
  };
  const path = (value: unknown, at: string) => {
    if (!isText(value)) return say(at, "wrong_type", "must be a path");
    const keys = value.split(".");
    if (keys.length > WORKFLOW_LIMITS.pathLength || keys.some((key) => key === "" || key in {})) {
      say(at, "bad_path", "a path is made of keys and dots, and none of a JavaScript object's own names");
    }
  };

  function filter(node: unknown, at: string, depth = 0): void {
    if (!enter(node, at, depth)) return;
    if ("and" in node) return each(node.and, `${at}.and`, (part, where) => filter(part, where, depth + 1));
    if ("or" in node) return each(node.or, `${at}.or`, (part, where) => filter(part, where, depth + 1));
    if ("not" in node) return filter(node.not, `${at}.not`, depth + 1);
    path(node.path, `${at}.path`);
    if (typeof node.op !== "string" || !Object.hasOwn(library.operators, node.op)) {
      say(`${at}.op`, "unknown_operator", `an operator is one of ${Object.keys(library.operators).join(", ")}`);
    }
    const values = Array.isArray(node.value) ? node.value : [node.value];
    if (values.length > WORKFLOW_LIMITS.nodes || !values.every((value) => value === undefined || isScalar(value))) {
      say(`${at}.value`, "wrong_type", "must be a text, a number, true or false, or a list of them");
    }
  }

  function mapping(node: unknown, at: string, depth = 0): void {
    if (!enter(node, at, depth)) return;
    const keys = Object.keys(node);
    const [directive, ...more] = keys.filter((key) => DIRECTIVES.includes(key));
    const rest = keys.filter((key) => key !== directive && !COMPANIONS[directive ?? ""]?.includes(key));
    if (directive === undefined || more.length || rest.length) {
      return say(at, "unknown_directive", `a mapping has one directive of ${DIRECTIVES.join(", ")}`);
    }
    const down = (part: unknown, where: string) => mapping(part, where, depth + 1);
    const inside = node[directive];
    if (directive === "path") path(inside, `${at}.path`);
    else if (directive === "value")
      isScalar(inside) || say(`${at}.value`, "wrong_type", "must be a text, a number, true or false");
    else if (directive === "first") each(inside, `${at}.first`, down);
    else if (directive === "template") isText(inside) || say(`${at}.template`, "wrong_type", "must be a text");
    else if (directive === "if") {
      filter(inside, `${at}.if`, depth + 1);
      down(node.then, `${at}.then`);
      if (node.else !== undefined) down(node.else, `${at}.else`);
    } else if (directive === "each") {
      path(inside, `${at}.each`);
      down(node.to, `${at}.to`);
    } else if (directive === "object") {
      if (!isObject(inside)) return say(`${at}.object`, "wrong_type", "must be an object");
      for (const [key, part] of Object.entries(inside)) down(part, `${at}.object.${key}`);
    } else if (directive === "call") {
      if (typeof inside !== "string" || !Object.hasOwn(library.functions, inside)) {
        say(`${at}.call`, "unknown_function", `a function is one of ${Object.keys(library.functions).join(", ")}`);
      }
      if (node.with !== undefined) each(node.with, `${at}.with`, down);
    } else down(inside, `${at}.${directive}`);
  }

  return {
    filter: (node: unknown, at: string) => filter(node, at),
    mapping: (node: unknown, at: string) => mapping(node, at),
  };
}

function isScalar(value: unknown): boolean {
  return typeof value === "string"
    ? value.length <= WORKFLOW_LIMITS.text
    : typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
}
