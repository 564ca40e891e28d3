import type { UserDataInput } from "../wire/event.ts";
import { LIBRARY } from "./app-data.ts";
import { digestOf } from "./digest.ts";
import type { AudienceChange, CanonicalEvent, Decision, RouteOptions, RouteResult, Router } from "./event.ts";
import { compileEventId } from "./event-id.ts";
import { foldName } from "./fold.ts";
import type { Library } from "./mapping.ts";
import { compilePath } from "./path.ts";
import { type CompiledRule, compileRules, firstOf } from "./rule.ts";
import { compileUser, USER_MAP, type UserReader } from "./user-data.ts";
import type { Workflow } from "./workflow.ts";

/** A workflow with everything compiled that routing and explaining need. */
export interface CompiledWorkflow {
  readonly workflow: Workflow;
  readonly version: string;
  readonly library: Library;
  readonly user: UserReader;
  readonly identify: ReturnType<typeof compileEventId>;
  /** The rules of an event name, in the order of the file. */
  rulesOf(name: string): readonly CompiledRule[];
  /** The segments an event enters or leaves. */
  changes(event: CanonicalEvent): readonly AudienceChange[];
  /** All rules, for the two segment rows and for lists. */
  readonly rules: readonly CompiledRule[];
}

const NO_RULES: readonly CompiledRule[] = [];
/** Names remembered as spelled; a host's events have few, an attacker's many. */
const REMEMBERED_NAMES = 2_000;

/** Compiles a workflow that is known to be sound. */
export function compileWorkflow(workflow: Workflow, library: Library = LIBRARY): CompiledWorkflow {
  const byFolded = compileRules(workflow, library);
  const aliases = new Map(Object.entries(workflow.aliases ?? {}).map(([own, name]) => [foldName(own), foldName(name)]));
  const bySpelling = new Map<string, readonly CompiledRule[]>();
  const keyPaths = workflow.audience?.key.map(compilePath) ?? [];
  const namePaths = workflow.audience?.name?.map(compilePath) ?? [];
  return {
    workflow,
    library,
    version: digestOf(workflow),
    user: compileUser(workflow.user ?? USER_MAP, library),
    identify: compileEventId(workflow.dedupe, workflow.orderId),
    rules: [...byFolded.values()].flat(),
    rulesOf(name) {
      let rules = bySpelling.get(name);
      if (rules) return rules;
      const folded = foldName(name);
      rules = byFolded.get(folded) ?? byFolded.get(aliases.get(folded) ?? "") ?? NO_RULES;
      if (bySpelling.size >= REMEMBERED_NAMES) bySpelling.clear();
      bySpelling.set(name, rules);
      return rules;
    },
    changes(event) {
      if (event.audiences.length === 0 || keyPaths.length === 0) return event.audiences;
      const key = firstOf(keyPaths, event);
      if (!key) return event.audiences;
      const name = firstOf(namePaths, event);
      return event.audiences.map((change) => ({ ...change, key, ...(name ? { name } : {}) }));
    },
  };
}

/**
 * A workflow as a function: events in, decisions out, no storage, no network, no clock.
 *
 * @throws SnapchatError `workflow_invalid` where a rule, filter or mapping makes no sense, with its path.
 */
export function routeWith(compiled: CompiledWorkflow): Router {
  return {
    version: compiled.version,
    route: (event, options) => {
      try {
        return route(compiled, event, options ?? {});
      } catch {
        return { eventId: "", decisions: [rejected("event_unreadable")] };
      }
    },
  };
}

function route(compiled: CompiledWorkflow, event: CanonicalEvent, options: RouteOptions): RouteResult {
  const id = options.eventId ?? compiled.identify(event, options.receivedAtMs).id;
  const decisions: Decision[] = [];
  const changes = compiled.changes(event);
  for (const change of changes) routeChange(compiled, event, change, decisions);
  const rules = compiled.rulesOf(event.name);
  const timeMs = event.timeMs ?? options.receivedAtMs;
  let user: UserDataInput | undefined;
  for (const compiledRule of rules) {
    const { rule } = compiledRule;
    if (rule.to.startsWith("segment:")) continue;
    const refusal = rule.server || rule.client ? compiledRule.refuses(event) : DISABLED;
    if (refusal) {
      decisions.push({
        rule: rule.id,
        channel: rule.server || !rule.client ? "server" : "client",
        target: rule.to,
        status: "skipped",
        ...refusal,
      });
      continue;
    }
    const snap = compiledRule.build(event, compiledRule.eventId(event, id), timeMs);
    if (event.carriedTimeMs !== undefined) snap.carried_time = Math.floor(event.carriedTimeMs / 1_000);
    user ??= compiled.user.web(event);
    snap.user_data = snap.action_source === "MOBILE_APP" ? compiled.user.app(event, user) : user;
    decisions.push(
      rule.server
        ? { rule: rule.id, channel: "server", target: rule.to, status: "send", event: snap }
        : { rule: rule.id, channel: "server", target: rule.to, status: "skipped", reason: "client_only" },
    );
    if (rule.client) decisions.push({ rule: rule.id, channel: "client", target: rule.to, status: "send", event: snap });
  }
  if (decisions.length === 0) decisions.push(unmatched(event, rules));
  return { eventId: id, decisions };
}

const DISABLED = { reason: "rule_disabled" };

/** One membership through the row `added_to_segment` or `removed_from_segment`, whatever the event was called. */
function routeChange(
  compiled: CompiledWorkflow,
  event: CanonicalEvent,
  change: AudienceChange,
  decisions: Decision[],
): void {
  const wanted = `segment:${change.op}`;
  const target = `segment:${change.key}`;
  if (!change.key) {
    decisions.push({ rule: "", channel: "audience", target: "", status: "rejected", reason: "segment_missing" });
    return;
  }
  const found = compiled.rules.find(({ rule }) => rule.to === wanted);
  if (!found) {
    decisions.push({ rule: "", channel: "audience", target, status: "skipped", reason: "no_rule" });
    return;
  }
  const { rule } = found;
  const base = { rule: rule.id, channel: "audience", target } as const;
  const refusal = rule.server ? found.refuses(event) : DISABLED;
  if (refusal) {
    decisions.push({ ...base, status: "skipped", ...refusal });
    return;
  }
  const member = change.traits ? { ...event, traits: change.traits, ids: { external: {} }, context: {} } : event;
  const user = compiled.user.app(member, compiled.user.web(member));
  if (!user.em && !user.ph && !user.madid) {
    decisions.push({ ...base, status: "skipped", reason: "no_member_identifier" });
    return;
  }
  const membership = {
    key: change.key,
    op: change.op,
    user,
    ...(change.name === undefined ? {} : { name: change.name }),
  };
  decisions.push({ ...base, status: "send", membership });
}

/** Kinds that are about a person, not about something that happened. */
const NOT_CONVERSIONS: readonly string[] = ["identify", "group", "audience"];

function unmatched(event: CanonicalEvent, rules: readonly CompiledRule[]): Decision {
  if (rules.length || event.kind === "audience") return rejected("segment_missing");
  if (!event.name) return rejected("event_name_missing");
  return skipped(NOT_CONVERSIONS.includes(event.kind) ? "no_rule" : "unknown_event");
}

function skipped(reason: string): Decision {
  return { rule: "", channel: "server", target: "", status: "skipped", reason };
}

function rejected(reason: string): Decision {
  return { rule: "", channel: "server", target: "", status: "rejected", reason };
}
