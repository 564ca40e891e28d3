import type { OneOrMany, UserDataInput } from "../wire/event.ts";
import { copy, isOptionalText, isPlain, isTexts } from "./copy.ts";
import { GARBAGE, type Guard, type HookScope, pluginFailed } from "./guard.ts";
import type {
  ConsentPurpose,
  ConsentSubject,
  IdentityPurpose,
  PersonReference,
  Plugin,
  ResolvedPerson,
} from "./hooks.ts";

/** What all plugins together know: identifiers joined, the first key. */
export interface Resolution {
  person: ResolvedPerson;
  /** Plugins that knew something. */
  by: string[];
}

/**
 * Asks each plugin who a person is; later ones see what earlier ones found.
 *
 * The function throws SnapchatError `plugin_failed` (retry) as soon as one fails: guessing would split a person in two.
 */
export function createResolveIdentity(guard: Guard, plugins: readonly Plugin[]) {
  return async function resolveIdentity(
    person: PersonReference,
    purpose: IdentityPurpose,
    scope: HookScope,
  ): Promise<Resolution> {
    const found: Resolution = { person: {}, by: [] };
    let asked = person;
    for (const plugin of plugins) {
      const outcome = await guard.call(
        plugin,
        "resolveIdentity",
        (context) => plugin.resolveIdentity?.(copy(asked), Object.assign(context, { purpose })),
        resolved,
        scope,
      );
      if (!outcome.ok) throw pluginFailed(outcome.failure);
      if (!outcome.value) continue;
      found.by.push(plugin.name);
      const personKey = found.person.personKey ?? outcome.value.personKey;
      const identifiers = joined(found.person.identifiers, outcome.value.identifiers);
      found.person = { ...(personKey === undefined ? {} : { personKey }), ...(identifiers ? { identifiers } : {}) };
      asked = {
        ...person,
        personKey: person.personKey ?? personKey,
        identifiers: joined(person.identifiers, identifiers) ?? {},
      };
    }
    return found;
  };
}

function resolved(answer: unknown): ResolvedPerson | undefined {
  if (answer === undefined || answer === null) return undefined;
  if (!isPlain(answer) || !isOptionalText(answer.personKey) || answer.personKey === "") throw GARBAGE;
  if (answer.identifiers === undefined) return { ...(answer.personKey ? { personKey: answer.personKey } : {}) };
  if (!isPlain(answer.identifiers) || !Object.values(answer.identifiers).every(isTexts)) throw GARBAGE;
  return copy({ ...(answer.personKey ? { personKey: answer.personKey } : {}), identifiers: answer.identifiers });
}

/** Fields that hold one value; of two the first stays. */
const SINGLE: ReadonlySet<string> = new Set([
  "madid",
  "idfv",
  "client_ip_address",
  "client_user_agent",
  "sc_click_id",
  "sc_cookie1",
  "lead_id",
  "subscription_id",
  "partner_id",
  "anon_id",
  "download_id",
]);

function joined(
  first: Readonly<UserDataInput> | undefined,
  more: Readonly<UserDataInput> | undefined,
): UserDataInput | undefined {
  if (!first || !more) return first ?? more;
  const all: Record<string, OneOrMany<string>> = { ...(first as Record<string, OneOrMany<string>>) };
  for (const [field, value] of Object.entries(more) as [string, OneOrMany<string>][]) {
    const old = all[field];
    if (old === undefined) all[field] = value;
    else if (!SINGLE.has(field)) all[field] = [...new Set([old, value].flat())];
  }
  return all as UserDataInput;
}

/** Whether every plugin that has an opinion agrees. */
export interface ConsentAnswer {
  allowed: boolean;
  /** The plugin that said no. */
  by?: string;
}

/**
 * Asks each plugin whether a person agrees; the first no ends it.
 *
 * The function throws SnapchatError `plugin_failed` (retry) as soon as one fails: not knowing is not consent.
 */
export function createConsent(guard: Guard, plugins: readonly Plugin[]) {
  return async function consent(
    subject: ConsentSubject,
    purpose: ConsentPurpose,
    scope: HookScope,
  ): Promise<ConsentAnswer> {
    for (const plugin of plugins) {
      const outcome = await guard.call(
        plugin,
        "consent",
        (context) => plugin.consent?.(copy(subject), purpose, context),
        opinion,
        scope,
      );
      if (!outcome.ok) throw pluginFailed(outcome.failure);
      if (outcome.value === false) return { allowed: false, by: plugin.name };
    }
    return { allowed: true };
  };
}

function opinion(answer: unknown): boolean | undefined {
  if (answer === undefined || typeof answer === "boolean") return answer;
  throw GARBAGE;
}
