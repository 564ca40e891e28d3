import { EVENT_NAME_ALIASES } from "../wire/event-names.ts";
import { LIBRARY } from "./app-data.ts";
import { isObject, isText, type Json, type Say, type TreeChecker, treeChecker } from "./check-tree.ts";
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

const MAX_PROBLEMS = 100;

/**
 * Everything that would keep a workflow from meaning what it says: unknown directives, operators and functions, two
 * rules with one id, two rules of one event with one target, a client toggle on a segment row, bounds. Total: any JSON,
 * also a cyclic or hostile one, gives a list.
 */
export function checkWorkflow(workflow: unknown, library: Library = LIBRARY): WorkflowProblem[] {
  const problems: WorkflowProblem[] = [];
  const say: Say = (path, code, message) => {
    if (problems.length < MAX_PROBLEMS) problems.push({ path, code, message });
  };
  if (!isObject(workflow)) say("", "not_a_workflow", "must be an object with `format` and `rules`");
  else if (typeof workflow.format === "number" && workflow.format > 1) {
    say("format", "workflow_newer", `format ${workflow.format} is newer than this package, which reads format 1`);
  } else if (workflow.format !== 1) say("format", "not_a_workflow", "must be 1");
  else checkParts(workflow, treeChecker(library, say), say);
  return problems;
}

function checkParts(workflow: Json, tree: TreeChecker, say: Say): void {
  if (workflow.defaultCountry !== undefined && !/^[A-Z]{2}$/.test(String(workflow.defaultCountry))) {
    say("defaultCountry", "wrong_type", "must be a country's two letters in upper case");
  }
  checkFields(workflow.map, "map", tree, say);
  if (workflow.user !== undefined) checkUser(workflow.user, tree, say);
  for (const key of ["dedupe", "orderId"]) if (workflow[key] !== undefined) checkPaths(workflow[key], key, say);
  if (isObject(workflow.audience)) {
    checkPaths(workflow.audience.key, "audience.key", say);
    if (workflow.audience.name !== undefined) checkPaths(workflow.audience.name, "audience.name", say);
  } else if (workflow.audience !== undefined) say("audience", "wrong_type", "must be an object");
  if (isObject(workflow.aliases)) {
    for (const [key, to] of Object.entries(workflow.aliases)) {
      if (!isText(to)) say(`aliases.${key}`, "wrong_type", "must be a name");
    }
  } else if (workflow.aliases !== undefined) say("aliases", "wrong_type", "must be an object of names");
  if (!Array.isArray(workflow.rules)) say("rules", "wrong_type", "must be a list");
  else if (workflow.rules.length > WORKFLOW_LIMITS.rules) {
    say("rules", "too_many", `at most ${WORKFLOW_LIMITS.rules} rules`);
  } else checkRules(workflow.rules, tree, say);
}

function checkPaths(value: unknown, at: string, say: Say): void {
  const fine = Array.isArray(value) && value.length <= 20 && value.every(isText);
  if (!fine) say(at, "wrong_type", "must be a list of paths");
}

function checkFields(map: unknown, at: string, tree: TreeChecker, say: Say): void {
  if (map === undefined) return;
  if (!isObject(map)) {
    say(at, "wrong_type", "must be an object of fields");
    return;
  }
  for (const [field, mapping] of Object.entries(map)) {
    const known = ROOT_FIELDS.includes(field) || /^(custom_data|app_data)\.\w{1,100}$/.test(field);
    if (!known) {
      say(`${at}.${field}`, "unknown_field", `must be custom_data.…, app_data.… or one of ${ROOT_FIELDS.join(", ")}`);
    }
    tree.mapping(mapping, `${at}.${field}`);
  }
}

function checkUser(user: unknown, tree: TreeChecker, say: Say): void {
  if (!isObject(user)) {
    say("user", "wrong_type", "must be an object of fields");
    return;
  }
  for (const [field, mapping] of Object.entries(user)) {
    if (!(USER_FIELDS as readonly string[]).includes(field)) {
      say(`user.${field}`, "unknown_field", `user_data has ${USER_FIELDS.join(", ")}`);
    }
    tree.mapping(mapping, `user.${field}`);
  }
}

function checkRules(rules: readonly unknown[], tree: TreeChecker, say: Say): void {
  const ids = new Set<string>();
  const targets = new Map<string, string>();
  for (const [index, rule] of rules.entries()) {
    const at = `rules.${index}`;
    if (isObject(rule)) checkRule(rule, at, tree, say);
    else say(at, "wrong_type", "must be an object");
    if (!isObject(rule) || !isText(rule.id) || !isText(rule.on) || !isText(rule.to)) continue;
    if (ids.has(rule.id)) say(`${at}.id`, "duplicate_id", `two rules have the id ${rule.id}`);
    ids.add(rule.id);
    // A membership finds its row by what happened, not by the event's name, so there is one row of each.
    const target = rule.to.startsWith("segment:") ? rule.to : `${foldName(rule.on)} ${rule.to}`;
    const other = targets.get(target);
    if (other !== undefined) {
      say(`${at}.to`, "duplicate_target", `rule ${other} sends this event to ${rule.to} already: it would count twice`);
    }
    targets.set(target, rule.id);
  }
}

function checkRule(rule: Json, at: string, tree: TreeChecker, say: Say): void {
  for (const key of ["id", "on", "to"]) {
    if (!isText(rule[key])) say(`${at}.${key}`, "wrong_type", "must be a text");
  }
  for (const key of ["server", "client"]) {
    if (typeof rule[key] !== "boolean") say(`${at}.${key}`, "wrong_type", "must be true or false");
  }
  if (isText(rule.to)) checkTarget(rule.to, rule.client === true, at, say);
  if (rule.when !== undefined) tree.filter(rule.when, `${at}.when`);
  checkFields(rule.map, `${at}.map`, tree, say);
  if (rule.dedupe !== undefined) checkPaths(rule.dedupe, `${at}.dedupe`, say);
  if (rule.consent !== undefined) checkConsentRule(rule.consent, `${at}.consent`, say);
}

function checkTarget(to: string, client: boolean, at: string, say: Say): void {
  if (to === "segment:add" || to === "segment:remove") {
    if (client) {
      say(`${at}.client`, "client_not_available", "segments are kept in step by the server; the pixel cannot do it");
    }
    return;
  }
  const meant = Object.hasOwn(EVENT_NAME_ALIASES, to) ? EVENT_NAME_ALIASES[to] : undefined;
  if (meant) say(`${at}.to`, "unknown_target", `Snapchat has no ${to}; its name is ${meant}`);
  else if (!/^[A-Z][A-Z0-9_]{0,63}$/.test(to)) {
    say(`${at}.to`, "unknown_target", "must be a Snap event name in upper case, or segment:add or segment:remove");
  }
}

function checkConsentRule(consent: unknown, at: string, say: Say): void {
  if (!isObject(consent)) {
    say(at, "wrong_type", "must be an object");
    return;
  }
  const { names, absent } = consent;
  if (!Array.isArray(names) || names.length > 50 || !names.every(isText)) {
    say(`${at}.names`, "wrong_type", "must be a list of names");
  }
  if (absent !== "allow" && absent !== "deny") {
    say(`${at}.absent`, "consent_absent_undecided", 'must be "allow" or "deny": what silence means is your decision');
  }
}
