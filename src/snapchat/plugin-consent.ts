import type { AskedItem, Consent } from "../delivery/index.ts";
import type { Plugins } from "../plugins/index.ts";
import type { UserDataInput } from "../wire/event.ts";

/**
 * Tombstones first, then the plugins that know of consent, once more at the moment of sending. What is asked about by
 * then are digests and device ids: nothing else of a person is kept that long. A plugin that fails keeps the item waiting.
 */
export function withPluginConsent(tombstones: Consent, consent: Plugins["consent"]): Consent {
  if (!consent) return tombstones;
  return {
    async allowed(tenantId, destinationId, subjects, acceptedAtMs, item) {
      if (!(await tombstones.allowed(tenantId, destinationId, subjects, acceptedAtMs, item))) return false;
      const purpose = "json" in item ? "events" : "audiences";
      const answer = await consent({ identifiers: identifiersOf(item) }, purpose, { tenantId, destinationId });
      return answer.allowed;
    },
  };
}

function identifiersOf(item: AskedItem): UserDataInput {
  if ("json" in item) return (JSON.parse(item.json) as { user_data?: UserDataInput }).user_data ?? {};
  const ofKind = (wanted: number) =>
    item.identifiers
      .filter(({ kind }) => kind === wanted)
      .map(({ hash }) => (typeof hash === "string" ? hash : Buffer.from(hash).toString("hex")));
  const [em, ph, [madid]] = [ofKind(0), ofKind(1), ofKind(2)];
  return { ...(em.length ? { em } : {}), ...(ph.length ? { ph } : {}), ...(madid === undefined ? {} : { madid }) };
}
