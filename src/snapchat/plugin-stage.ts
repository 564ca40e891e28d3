import type { ConsentSubject, Enriched, PluginChange, Plugins } from "../plugins/index.ts";
import type { CanonicalEvent, Decision } from "../rules/event.ts";
import type { OneOrMany, UserDataInput } from "../wire/event.ts";

/** Where the hooks that look at events are asked on the way from the host to the outbox. */
export interface PluginStage {
  /** Before routing, a tenant's events at a time. */
  enrich(events: readonly CanonicalEvent[], tenantId: string): Promise<Enriched>;
  /** After routing: who the person is, whether they agree, and what a plugin changes or drops. */
  decisions(
    decisions: readonly Decision[],
    event: CanonicalEvent,
    scope: { tenantId: string; destinationId: string },
    /** Hears which plugin changed which decision, for explanations. */
    changed?: (at: number, change: PluginChange) => void,
  ): Promise<Decision[]>;
}

/** `undefined` where no plugin looks at events: then nothing is awaited and nothing copied. */
export function createPluginStage(plugins: Plugins): PluginStage | undefined {
  const { enrich, resolveIdentity, consent, beforeSend } = plugins;
  if (!enrich && !resolveIdentity && !consent && !beforeSend) return undefined;

  async function judged(
    decision: Decision,
    event: CanonicalEvent,
    scope: { tenantId: string; destinationId: string },
    changed?: (change: PluginChange) => void,
  ) {
    if (decision.status !== "send") return decision;
    let current = decision;
    if (resolveIdentity) {
      const { userId, anonymousId, external } = event.ids;
      const { person, by } = await resolveIdentity(
        { userId, anonymousId, external, identifiers: userOf(current) },
        current.membership ? "membership" : "ingest",
        scope,
      );
      if (person.personKey !== undefined) current = { ...current, personKey: person.personKey };
      if (person.identifiers) {
        current = withUser(current, joined(userOf(current), person.identifiers));
        const paths = Object.keys(person.identifiers).map((field) => `user_data.${field}`);
        changed?.({ plugin: by.join(", "), hook: "resolveIdentity", paths });
      }
    }
    if (consent) {
      const subject: ConsentSubject = {
        userId: event.ids.userId,
        anonymousId: event.ids.anonymousId,
        identifiers: userOf(current),
      };
      const answer = await consent(subject, current.membership ? "audiences" : "events", scope);
      if (!answer.allowed) return stopped(current, "skipped", "consent_denied", answer.by);
    }
    if (beforeSend && current.event) {
      const outcome = await beforeSend(current.event, scope);
      if (changed) outcome.changes.forEach(changed);
      if (outcome.status === "send") current = { ...current, event: outcome.event };
      else if (outcome.status === "dropped") return stopped(current, "skipped", outcome.reason, outcome.plugin);
      else return stopped(current, "rejected", outcome.reason, outcome.plugin);
    }
    return current;
  }

  return {
    async enrich(events, tenantId) {
      return enrich ? enrich(events, { tenantId }) : { events: [...events], changes: [] };
    },
    async decisions(decisions, event, scope, changed) {
      const result: Decision[] = [];
      for (const [at, decision] of decisions.entries()) {
        result.push(await judged(decision, event, scope, changed && ((change) => changed(at, change))));
      }
      return result;
    },
  };
}

function stopped(
  decision: Decision,
  status: "skipped" | "rejected",
  reason: string,
  plugin: string | undefined,
): Decision {
  const { rule, channel, target } = decision;
  return { rule, channel, target, status, reason, ...(plugin === undefined ? {} : { detail: { plugin } }) };
}

function userOf({ event, membership }: Decision): UserDataInput {
  return membership?.user ?? event?.user_data ?? {};
}

function withUser(decision: Decision, user: UserDataInput): Decision {
  if (decision.membership) return { ...decision, membership: { ...decision.membership, user } };
  return decision.event ? { ...decision, event: { ...decision.event, user_data: user } } : decision;
}

/** The event's own values first, what plugins know behind them. */
function joined(own: UserDataInput, known: UserDataInput): UserDataInput {
  const all: Record<string, OneOrMany<string>> = { ...(own as Record<string, OneOrMany<string>>) };
  for (const [field, value] of Object.entries(known) as [string, OneOrMany<string>][]) {
    const before = all[field];
    all[field] = before === undefined || !HASHED.has(field) ? (before ?? value) : [...new Set([before, value].flat())];
  }
  return all as UserDataInput;
}

const HASHED: ReadonlySet<string> = new Set(["em", "ph", "fn", "ln", "ge", "ct", "st", "zp", "country", "external_id"]);
