import { MEMBER_KINDS, type MemberKind, type Segments } from "./ads/segments.ts";
import type { EventRecord, EventStore, EventTotals } from "./conversions/store.ts";
import type { Ledger, RequestRecord, RequestTotals } from "./ledger.ts";
import type { PixelReport } from "./pixel/endpoint.ts";
import type { Peak } from "./rates.ts";
import type { TokenStore } from "./tokens.ts";
import type { World } from "./world.ts";

/** A token without its text. */
export interface TokenView {
  id: string;
  kind: "access" | "refresh" | "conversions_token";
  /** The person's name, or the organization's id for a long-lived token. */
  owner: string;
  scopes: readonly string[];
  expiresAt?: number;
  revoked: boolean;
}

/** A segment as a test may look at it. */
export interface SegmentView {
  id: string;
  name: string;
  description: string | undefined;
  adAccountId: string;
  sourceType: string;
  retentionInDays: number;
  uploadStatus: string;
  targetableStatus: string;
  approximateNumberUsers: number;
  /** Identifiers held now, by kind. */
  members: Record<MemberKind, number>;
}

/** What the simulator holds, for a test to look at. */
export interface Inspect {
  /** Totals now, with `list` for the events themselves (empty where only counts are kept). */
  readonly events: EventTotals & {
    /** The events whose fields are the filter's, in the order of arrival. */
    list(filter?: Partial<EventRecord>): EventRecord[];
  };
  readonly requests: readonly RequestRecord[];
  readonly requestTotals: RequestTotals;
  /** The densest second and five seconds, by `token:<id>` and `app:<client id>`. */
  readonly peaks: Record<string, Peak>;
  /** The most kept requests of one token or app in any interval of that length. */
  maxInWindow(who: string, windowMs: number): number;
  /** Every segment, in the order of creation. */
  segments(): SegmentView[];
  /** The hashes a segment holds, by kind. */
  members(segmentId: string): Record<MemberKind, Set<string>>;
  readonly tokens: TokenView[];
  /** The id of a token's text, to name it in a fault or to find its requests. */
  tokenId(token: string): string | undefined;
  /** What `validate/logs` holds of an asset. */
  logs(assetId: string): Record<string, unknown>[];
  /** Judged without being counted: `/validate` and test codes. */
  readonly testEvents: EventRecord[];
  /** What the pixel script sent, in the order of arrival. */
  readonly pixelHits: EventRecord[];
  /** What else the pixel script reported: calls it dropped, micro-data, scanned forms. */
  readonly pixelReports: readonly PixelReport[];
}

export function createInspect(parts: {
  world: World;
  store: EventStore;
  ledger: Ledger;
  segments: Segments;
  tokens: TokenStore;
  logs(assetId: string): Record<string, unknown>[];
  pixelReports: readonly PixelReport[];
}): Inspect {
  const { world, store, ledger, segments, tokens } = parts;

  return {
    get events() {
      return {
        ...store.totals(),
        list: (filter: Partial<EventRecord> = {}) => {
          const wanted = Object.entries(filter) as [keyof EventRecord, unknown][];
          return store.records.filter((record) => wanted.every(([key, value]) => record[key] === value));
        },
      };
    },
    get requests() {
      return ledger.requests;
    },
    get requestTotals() {
      return ledger.totals();
    },
    get peaks() {
      return ledger.peaks();
    },
    maxInWindow(who, windowMs) {
      const times = ledger.requests
        .filter((request) => request.token === who || request.app === who)
        .map((request) => request.at)
        .sort((a, b) => a - b);
      let most = 0;
      let first = 0;
      for (let last = 0; last < times.length; last++) {
        while ((times[first] as number) <= (times[last] as number) - windowMs) first += 1;
        most = Math.max(most, last - first + 1);
      }
      return most;
    },
    segments: () => [...segments.byId.keys()].map((id) => segmentView(id)),
    members(segmentId) {
      const segment = segments.get(segmentId);
      if (!segment) throw new Error(`The simulator has no segment with the id ${segmentId}.`);
      const sets = MEMBER_KINDS.map((kind) => [kind, new Set(segment.members[kind].keys())]);
      return Object.fromEntries(sets) as Record<MemberKind, Set<string>>;
    },
    get tokens() {
      return tokenViews();
    },
    tokenId(token) {
      const long = world.conversionsTokens.find((candidate) => candidate.token === token);
      return (tokens.access.get(token) ?? tokens.refresh.get(token) ?? long)?.id;
    },
    logs: parts.logs,
    pixelReports: parts.pixelReports,
    get testEvents() {
      return store.records.filter((record) => record.outcome === "test");
    },
    get pixelHits() {
      return store.records.filter((record) => record.channel === "pixel");
    },
  };

  function segmentView(id: string): SegmentView {
    const segment = segments.get(id)!;
    const entity = segments.entity(segment);
    const counts = MEMBER_KINDS.map((kind) => [kind, segment.members[kind].size]);
    return {
      id,
      name: segment.name,
      description: segment.description,
      adAccountId: segment.account.id,
      sourceType: segment.sourceType,
      retentionInDays: segment.retentionInDays,
      uploadStatus: entity.upload_status as string,
      targetableStatus: entity.targetable_status as string,
      approximateNumberUsers: segment.matched,
      members: Object.fromEntries(counts) as Record<MemberKind, number>,
    };
  }

  function tokenViews(): TokenView[] {
    const access = [...tokens.access.values()].map(
      ({ id, person, scopes, expiresAt, revoked }): TokenView => ({
        id,
        kind: "access",
        owner: person.name,
        scopes,
        expiresAt,
        revoked,
      }),
    );
    const refresh = [...tokens.refresh.values()].map(
      ({ id, person, scopes, revoked }): TokenView => ({ id, kind: "refresh", owner: person.name, scopes, revoked }),
    );
    const conversions = world.conversionsTokens.map(
      ({ id, organizationId, revoked }): TokenView => ({
        id,
        kind: "conversions_token",
        owner: organizationId,
        scopes: [],
        revoked,
      }),
    );
    return [...access, ...refresh, ...conversions];
  }
}
