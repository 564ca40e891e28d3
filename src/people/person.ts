import { SnapchatError } from "../errors.ts";
import { hashWithReason, identityReady } from "../identity/index.ts";
import type { OneOrMany, UserDataInput } from "../wire/event.ts";
import type { PeopleDestination } from "./interfaces.ts";
import type { SubjectField, Subjects } from "./subjects.ts";

/** A person, by whatever the host knows: raw or hashed. More identifiers find more. */
export interface Person {
  email?: OneOrMany<string>;
  phone?: OneOrMany<string>;
  /** What events carry as `external_id`: the user id, the anonymous id. */
  externalId?: OneOrMany<string>;
  mobileAdId?: OneOrMany<string>;
  /** The host's own key of the person. */
  personKey?: string;
}

const FIELDS = [
  ["email", "em"],
  ["phone", "ph"],
  ["externalId", "external_id"],
  ["mobileAdId", "madid"],
] as const satisfies readonly (readonly [keyof Person, SubjectField])[];

/** A person as stored things know them. */
export interface KnownPerson {
  /** Keyed digests. */
  subjects: string[];
  /** What segments hold them by. */
  hashes: { kind: "email" | "phone" | "mobile_ad_id"; hash: string }[];
  /** Identifiers that could not be used, without their values. */
  ignored: { identifier: keyof Person; reason: string }[];
}

const KINDS = { em: "email", ph: "phone", madid: "mobile_ad_id" } as const;

/**
 * Digests of every form that events and segments may hold a person under. A national phone number has one per country
 * that the tenant's destinations read such numbers by.
 *
 * @throws {SnapchatError} `person_not_identified` (fix_data) where nothing of it can be used
 */
export async function knowPerson(
  person: Person,
  subjects: Subjects,
  destinations: readonly PeopleDestination[],
): Promise<KnownPerson> {
  await identityReady();
  const countries = new Set<string | undefined>([
    undefined,
    ...destinations.map(({ defaultCountry }) => defaultCountry),
  ]);
  const found = new Set<string>();
  const hashes = new Map<string, KnownPerson["hashes"][number]>();
  const ignored: KnownPerson["ignored"] = [];
  for (const [identifier, field] of FIELDS) {
    for (const value of listOf(person[identifier])) {
      const digests = new Set<string>();
      let reason = "unusable";
      for (const defaultCountry of field === "ph" ? countries : [undefined]) {
        const hashed = hashWithReason(field, value, { defaultCountry });
        if (hashed.value !== undefined) digests.add(hashed.value);
        else reason = hashed.reason ?? reason;
      }
      if (digests.size === 0) ignored.push({ identifier, reason });
      for (const hash of digests) {
        found.add(subjects.ofHash(field, hash));
        // One field for both device ids: whichever of them an event carried.
        if (field === "madid") found.add(subjects.ofHash("idfv", hash));
        const kind = field === "external_id" ? undefined : KINDS[field];
        if (kind) hashes.set(`${kind} ${hash}`, { kind, hash });
      }
    }
  }
  if (person.personKey) found.add(subjects.ofPerson(person.personKey));
  if (found.size === 0) throw notIdentified();
  return { subjects: [...found], hashes: [...hashes.values()], ignored };
}

/** What a plugin knows of a person, beside what was given. */
export function withResolved(
  person: Person,
  found: { personKey?: string; identifiers?: UserDataInput } | undefined,
): Person {
  if (!found) return person;
  const personKey = person.personKey ?? found.personKey;
  const resolved = found.identifiers ?? {};
  const joined = (given: OneOrMany<string> | undefined, more: OneOrMany<string> | undefined) => [
    ...listOf(given),
    ...listOf(more),
  ];
  return {
    ...person,
    ...(personKey === undefined ? {} : { personKey }),
    email: joined(person.email, resolved.em),
    phone: joined(person.phone, resolved.ph),
    externalId: joined(person.externalId, resolved.external_id),
    mobileAdId: joined(
      person.mobileAdId,
      [resolved.madid, resolved.idfv].filter((id) => id !== undefined),
    ),
  };
}

function listOf(value: OneOrMany<string> | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}

const notIdentified = () =>
  new SnapchatError({
    code: "person_not_identified",
    kind: "fix_data",
    message:
      "Nothing that was given names a person: no mail address, phone, external id, device id or person key of use.",
    fix: "Pass at least one identifier; phone numbers with their country code.",
  });
