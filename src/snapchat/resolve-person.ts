import type { PeopleOptions } from "../people/index.ts";
import type { Plugins } from "../plugins/index.ts";

/** What the identity hooks know of a person who is to be forgotten or looked at. */
export function resolvePerson(resolveIdentity: Plugins["resolveIdentity"]): PeopleOptions["resolve"] {
  if (!resolveIdentity) return undefined;
  return async (tenantId, { personKey, email, phone, externalId, mobileAdId }) => {
    const identifiers = Object.fromEntries(
      Object.entries({ em: email, ph: phone, external_id: externalId, madid: [mobileAdId].flat()[0] }).filter(
        ([, value]) => value !== undefined,
      ),
    );
    const userId = [externalId].flat()[0];
    return (await resolveIdentity({ personKey, userId, identifiers }, "forget", { tenantId })).person;
  };
}
