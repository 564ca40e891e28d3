import type { Clock } from "../clock.ts";
import { SnapchatError } from "../errors.ts";
import { patientRecords } from "../storage/patient.ts";
import type { Records } from "../storage/ports.ts";
import type { UserDataInput } from "../wire/event.ts";
import { type Consent, createConsent } from "./consent.ts";
import type {
  DigestKeys,
  MemberRemoval,
  Membership,
  MembersLookup,
  PeopleAudit,
  PeopleDestination,
} from "./interfaces.ts";
import { type KnownPerson, knowPerson, type Person, withResolved } from "./person.ts";
import { type Remaining, remaining } from "./remaining.ts";
import { createSubjects, personBytes, type Subjects } from "./subjects.ts";
import { createTombstoneCache } from "./tombstone-cache.ts";
import { purgeTombstones, readTombstone, setTombstones } from "./tombstones.ts";

export interface PeopleOptions {
  records: Records;
  digestKeys: DigestKeys;
  clock: Clock;
  /** The tenant's destinations. */
  destinations(tenantId: string): Promise<readonly PeopleDestination[]>;
  /** Absent: storage keeps no members, and the report says so. */
  members?: MembersLookup | undefined;
  /** What segments hold for one named person, in 16 bytes: also under identifiers that nobody named. */
  membersOf?:
    | ((tenantId: string, destinationIds: readonly string[], person: Uint8Array) => Promise<Membership[]>)
    | undefined;
  removal: MemberRemoval;
  audit: PeopleAudit;
  /** The `resolveIdentity` hook: what else the host knows of a person. */
  resolve?:
    | ((tenantId: string, person: Person) => Promise<{ personKey?: string; identifiers?: UserDataInput } | undefined>)
    | undefined;
  /**
   * How long another process may act on what it knew. Milliseconds. Default 2,000; 0 where the storage is not shared with
   * other processes. `forget` resolves after it.
   */
  visibleAfterMs?: number;
}

/** Who withdraws. */
export interface WithdrawOptions {
  /** Who does it, for the audit trail: an id of yours. Default `"host"`. */
  actor?: string;
}

/** How far a withdrawn consent goes. */
export interface RevokeOptions extends WithdrawOptions {
  /** Only this destination. Absent: every one of the tenant. */
  destinationId?: string;
  /** `remove` (default) also takes the person out of segments; `keep` leaves memberships as they are. */
  segments?: "remove" | "keep";
}

/** A membership without what names the person. */
export type MembershipView = Omit<Membership, "hash" | "person">;

/** What a withdrawal did, and what it could not undo. */
export interface WithdrawalReport {
  /** ISO 8601: what was accepted at this time or before is not sent. */
  at: string;
  /** Digests that are looked for in the queue and in dead letters for 67 days. */
  tombstones: number;
  /** Removals from segments that are queued now. */
  removals: MembershipView[];
  /** Identifiers that were given and name nobody. */
  ignored: KnownPerson["ignored"];
  remains: Remaining[];
}

/** What is known of a person here. */
export interface Inspection {
  /** Withdrawals that are still looked for. */
  withdrawals: { at?: string; destinations: Record<string, string> }[];
  memberships: MembershipView[];
  ignored: KnownPerson["ignored"];
  remains: Remaining[];
}

export interface People {
  /**
   * Stops what was accepted of a person until this call resolves, at every destination: queued items and dead letters are never sent,
   * memberships are removed. Later events are judged by their own consent.
   *
   * @throws {SnapchatError} `person_not_identified`
   */
  forget(tenantId: string, person: Person, options?: WithdrawOptions): Promise<WithdrawalReport>;
  /** The same for one destination or all, for a person who withdrew consent. @throws {SnapchatError} `not_found` */
  revokeConsent(tenantId: string, person: Person, options?: RevokeOptions): Promise<WithdrawalReport>;
  /** Changes nothing. */
  inspect(tenantId: string, person: Person): Promise<Inspection>;
  readonly consent: Consent;
  /** Makes a tenant's digests of people: at once once its key is known. */
  subjects(tenantId: string): Subjects | Promise<Subjects>;
  /** For offboarding. */
  readonly tenantData: { readonly name: "people"; purge(tenantId: string): Promise<void> };
}

const MAX_KEPT = 10_000;
/** Digest keys are asked for again after this long: a tenant may have left and come back. Milliseconds. */
const KEEP_MS = 60_000;

/** Consent and tombstones: who may not be sent any more. */
export function createPeople(options: PeopleOptions): People {
  const { clock, digestKeys, members } = options;
  const records = patientRecords(options.records, clock);
  const visibleAfterMs = options.visibleAfterMs ?? 2_000;
  const cache = createTombstoneCache({ records, clock, refreshMs: visibleAfterMs > 0 ? visibleAfterMs : 2_000 });
  const kept = new Map<string, { subjects: Subjects; until: number }>();

  function subjects(tenantId: string): Subjects | Promise<Subjects> {
    const entry = kept.get(tenantId);
    if (entry && entry.until > clock.monotonic()) return entry.subjects;
    return digestKeys.of(tenantId).then((key) => {
      const made = createSubjects(key);
      kept.delete(tenantId);
      kept.set(tenantId, { subjects: made, until: clock.monotonic() + KEEP_MS });
      if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value ?? "");
      return made;
    });
  }

  async function know(tenantId: string, person: Person): Promise<KnownPerson> {
    const resolved = await options.resolve?.(tenantId, person);
    const destinations = await options.destinations(tenantId);
    return knowPerson(withResolved(person, resolved), await subjects(tenantId), destinations);
  }

  async function memberships(
    tenantId: string,
    known: KnownPerson,
    { personKey }: Person,
    destinationId?: string,
  ): Promise<Membership[]> {
    const byHash = await membershipsOf(tenantId, known, destinationId);
    if (personKey === undefined || !options.membersOf) return byHash;
    const ids = (await options.destinations(tenantId)).map(({ id }) => id);
    const person = personBytes((await subjects(tenantId)).ofPerson(personKey));
    const asked = destinationId === undefined ? ids : ids.filter((id) => id === destinationId);
    const named = await options.membersOf(tenantId, asked, person);
    const same = ({ destinationId: at, link, hash }: Membership) => `${at} ${link} ${hash}`;
    const found = new Set(byHash.map(same));
    return [...byHash, ...named.filter((one) => !found.has(same(one))).map((one) => ({ ...one, person }))];
  }

  async function membershipsOf(
    tenantId: string,
    { hashes }: KnownPerson,
    destinationId?: string,
  ): Promise<Membership[]> {
    if (!members || hashes.length === 0) return [];
    const found = await members.find(
      tenantId,
      hashes.map(({ hash }) => Buffer.from(hash, "hex")),
    );
    return found.flatMap(({ segment, hash }) => {
      const hex = Buffer.from(hash).toString("hex");
      if (destinationId !== undefined && segment.destinationId !== destinationId) return [];
      // The port does not say by which kind: one hash is never both a mail address and a phone.
      const kind = hashes.find((known) => known.hash === hex)?.kind;
      return kind ? [{ destinationId: segment.destinationId, link: segment.link, kind, hash: hex }] : [];
    });
  }

  async function withdraw(
    tenantId: string,
    person: Person,
    o: RevokeOptions & { action: "people.forgotten" | "people.consent_revoked" },
  ): Promise<WithdrawalReport> {
    const { destinationId, segments = "remove" } = o;
    const known = await know(tenantId, person);
    // Until this call resolves, which is also room for two clocks that differ.
    const atMs = (await records.now()) + visibleAfterMs;
    await setTombstones(records, tenantId, known.subjects, {
      atMs,
      ...(destinationId === undefined ? {} : { destinationId }),
    });
    await cache.refresh(tenantId);
    // From then on every process knows; before, one may have begun a request, which may also have added a member.
    await clock.sleep(visibleAfterMs);
    const held = segments === "remove" ? await memberships(tenantId, known, person, destinationId) : [];
    if (held.length > 0) await options.removal.remove(tenantId, held);
    await options.audit({
      tenantId,
      actor: o.actor ?? "host",
      action: o.action,
      ...(destinationId === undefined ? {} : { destinationId }),
      detail: { tombstones: known.subjects.length, removals: held.length },
    });
    return {
      at: new Date(atMs).toISOString(),
      tombstones: known.subjects.length,
      removals: held.map(withoutHash),
      ignored: known.ignored,
      remains: remaining({ membersKnown: members !== undefined, segments }),
    };
  }

  return {
    subjects,
    consent: createConsent({ records, cache, subjects }),
    forget: (tenantId, person, o = {}) => withdraw(tenantId, person, { ...actorOf(o), action: "people.forgotten" }),
    async revokeConsent(tenantId, person, o = {}) {
      const { destinationId } = o;
      if (destinationId !== undefined) await checkDestination(tenantId, destinationId);
      return withdraw(tenantId, person, { ...o, action: "people.consent_revoked" });
    },
    async inspect(tenantId, person) {
      const known = await know(tenantId, person);
      const withdrawals: Inspection["withdrawals"] = [];
      for (const subject of known.subjects) {
        const tombstone = await readTombstone(records, tenantId, subject);
        if (!tombstone) continue;
        const destinations = Object.entries(tombstone.destinations ?? {}).map(([id, ms]) => [
          id,
          new Date(ms).toISOString(),
        ]);
        withdrawals.push({
          ...(tombstone.all === undefined ? {} : { at: new Date(tombstone.all).toISOString() }),
          destinations: Object.fromEntries(destinations),
        });
      }
      return {
        withdrawals,
        memberships: (await memberships(tenantId, known, person)).map(withoutHash),
        ignored: known.ignored,
        remains: remaining({ membersKnown: members !== undefined, segments: "remove" }),
      };
    },
    tenantData: {
      name: "people",
      async purge(tenantId) {
        await purgeTombstones(records, tenantId);
        await digestKeys.destroy(tenantId);
        cache.forget(tenantId);
        kept.delete(tenantId);
      },
    },
  };

  async function checkDestination(tenantId: string, destinationId: string): Promise<void> {
    if ((await options.destinations(tenantId)).some(({ id }) => id === destinationId)) return;
    throw new SnapchatError({
      code: "not_found",
      kind: "fix_configuration",
      message: "This tenant has no destination with that id.",
      fix: "Take the id from destinations.list().",
      details: { what: "destination" },
    });
  }
}

const withoutHash = ({ destinationId, link, kind }: Membership): MembershipView => ({
  destinationId,
  link,
  kind,
});
const actorOf = ({ actor }: WithdrawOptions): WithdrawOptions => (actor === undefined ? {} : { actor });
