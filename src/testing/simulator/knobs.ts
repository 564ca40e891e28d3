/**
 * What sources about Snapchat disagree on, or do not say. Each knob is a default a test may turn, live, while the
 * simulator runs. Where every source agrees there is no knob.
 */
export interface Knobs {
  // --- Conversions API: who may call ---
  /** v3 documents the token in the query. Some peers send a header as well; one reports that a header alone fails. */
  conversionsAuth: "query" | "query_or_bearer";
  /** Status of a missing, unknown or expired token. 401 was seen; Segment's help speaks of 400. */
  invalidTokenStatus: 400 | 401;
  /** Status of "Unauthorized resources": a token that does not own the asset. No source gives it. */
  foreignAssetStatus: 400 | 401 | 403;
  /** A new Conversions API token is refused this long (one source: up to an hour). Milliseconds. */
  conversionsTokenRefusedMs: number;

  // --- Conversions API: what is judged ---
  /** Events in one request. */
  eventsPerRequest: number;
  /** Bytes of one request body, all areas. Snapchat documents none. */
  maxBodyBytes: number;
  /** Oldest event by kind of source. Milliseconds. */
  maxAgeMs: { web: number; app: number; offline: number };
  /** How far an event may lie ahead. Milliseconds. */
  futureToleranceMs: number;
  /** Whether `event_time` in milliseconds is understood, by kind of source. */
  acceptsMilliseconds: { web: boolean; app: boolean; offline: boolean };
  /** One bad event: refuse the batch; keep the good ones and say INVALID; or keep the good ones and say VALID. */
  partialFailure: "reject_all" | "accept_good" | "accept_good_silently";
  /** `errors.error_msgs` (OpenAPI) or `error_msgs` at the top (Segment's capture). */
  errorEnvelope: "nested" | "flat";
  /** Error codes as texts (OpenAPI) or numbers. */
  errorCodes: "text" | "number";
  /** Whether the nested envelope says which event is bad. */
  namesBadEvent: boolean;
  /** First position in `data`, as the answers count. */
  firstEventIndex: 0 | 1;
  /** Status of a refused batch. One source says that INVALID may come with 200. */
  invalidStatus: 200 | 400;
  /** Names outside the 31. */
  unknownEventNames: "reject" | "accept";
  /** APP_INSTALL and APP_OPEN from a web or offline source. */
  appOnlyEventNames: "reject" | "accept";
  /** Currencies outside the list two peers carry. */
  unknownCurrencies: "reject" | "warn";
  /** `event_source_url` for app and offline events: listed as required, omitted by peers. */
  urlRequiredOffWeb: boolean;
  /** Fields nobody documents. */
  unknownKeys: "ignore" | "warn" | "reject";
  /** Check hashed fields for raw personal data. */
  unhashedCheck: boolean;
  /** Check for the minimum set of identifiers. */
  identityCheck: boolean;
  /** gzip request bodies: Snap's SDK ships the code but never installs it. */
  gzipRequests: "reject" | "accept";

  // --- Conversions API: what is counted ---
  /** Deduplication by `event_id`. Milliseconds. */
  dedupeMs: number;
  /** The event name is part of the key. */
  dedupeByName: boolean;
  /** The event time is part of the key between two server events. */
  dedupeByTime: boolean;
  /** PURCHASE by `order_id` = `transaction_id`, between pixel and server only. Milliseconds. */
  purchaseDedupeMs: number;
  /** How long `validate/logs` remembers. Milliseconds. */
  logsRetentionMs: number;

  // --- OAuth ---
  accessTokenSeconds: number;
  authorizationCodeSeconds: number;
  /** What a refresh answers: the same token, a new one (the old one dies), or a new one while the old one lives on. */
  refreshToken: "same" | "rotated" | "rotated_old_stays";
  /** A person leaves an organization: one peer reports that their tokens die; others only lose what they may do. */
  removedMemberTokens: "live" | "die";
  /** Redirect URIs must be registered; `loopback` also takes any on this machine. */
  redirectUris: "registered" | "loopback";

  // --- Marketing API ---
  /** Older documents print `success`. */
  statusCase: "upper" | "lower";
  /** Older documents show a long hexadecimal text. */
  requestIds: "uuid" | "legacy";
  /** Status of an answer whose failures are inside the array. */
  subErrorStatus: 200 | 400;
  /** Body of a 401: the bare word was seen; one fixture uses JSON. */
  unauthorizedBody: "text" | "json";
  /** Page size without `limit`. */
  defaultPageSize: number;
  /** `limit` outside 50–1000. */
  pageLimits: "enforce" | "clamp";
  /** Segment `status` after create: the documents print PENDING, a live call ACTIVE. */
  newSegmentStatus: "ACTIVE" | "PENDING";
  segmentsPerAdAccount: number;
  segmentsPerRequest: number;
  identifiersPerRequest: number;
  /** Several `users` blocks in one request: nobody does it. */
  userBlocks: "one" | "many";
  /** A second segment of the same name in one account. */
  duplicateSegmentNames: "accept" | "reject";
  /** Whether `retention_in_days` may be changed after creation. */
  retentionMutable: boolean;
  /** Share of a request's rows that `number_uploaded_users` counts; no source shows less than all. */
  uploadedShare: number;
  /** Share of uploaded identifiers that belong to somebody at Snapchat. */
  matchedShare: number;
  /** From an upload until it is matched. Milliseconds. */
  processingMs: number;
  /** A change of members takes effect after a random time up to this: changes close together may swap. Milliseconds. */
  membershipSpreadMs: number;
  /** Matched people below which a segment is `TOO_FEW_USERS`. */
  minimumAudience: number;

  // --- Rate limits ---
  rateLimits: boolean;
  /** How a window is judged. `both` refuses what either would refuse. */
  rateWindow: "sliding" | "aligned" | "both";
  oauthTokenPerSecond: number;
  oauthAppPerSecond: number;
  conversionsTokenPerSecond: number;
  entityWritesPer5Seconds: number;
  /** One bucket for Marketing and Conversions calls of an OAuth token, or one each. */
  rateScope: "shared" | "per_api";
  /** Whether validate, logs and stats count. */
  validateCounts: boolean;
  /** `X-Rate-Limit-Reset`: recorded as epoch milliseconds; seconds and absence are other readings. */
  rateLimitHeaders: "milliseconds" | "seconds" | "none";

  // --- Pixel ---
  /** Delay of the per-pixel configuration, which no event precedes. Milliseconds. */
  pixelConfigDelayMs: number;
  /** The configuration cannot be fetched. */
  pixelConfigFails: boolean;
  /** Automated matching: the script scans submitted forms, where the configuration allows it. */
  pixelAutomatedMatching: boolean;
  /** The script sends JSON-LD and the page's `dataLayer`, unless the configuration blocks it. */
  pixelMicroData: boolean;
  /** The configuration names this build, newer than the script that was served: it loads itself anew, once an hour. */
  pixelNewerBuild: string;
  /** At most one event leaves the page in this time. Milliseconds. */
  pixelThrottleMs: number;
  /** The script goes on without a configuration after this time. Milliseconds. */
  pixelConfigTimeoutMs: number;
  /** Form of the stored `_scid`: a UUID, or the opaque text seen since 2024. */
  scidForm: "uuid" | "opaque";
  /** Pages on `localhost` report to the staging host. */
  shadowOnLocalhost: boolean;

  // --- Wire ---
  /** Every answer takes at least this long. Milliseconds. */
  latencyMs: number;
}

const DAY_MS = 86_400_000;

/** The defaults: strict where sources agree, the likelier reading where they do not. */
export const DEFAULT_KNOBS: Readonly<Knobs> = {
  conversionsAuth: "query_or_bearer",
  invalidTokenStatus: 401,
  foreignAssetStatus: 400,
  conversionsTokenRefusedMs: 0,
  eventsPerRequest: 2_000,
  maxBodyBytes: 16 * 1024 * 1024,
  maxAgeMs: { web: 7 * DAY_MS, app: 7 * DAY_MS, offline: 37 * DAY_MS },
  futureToleranceMs: 5 * 60_000,
  acceptsMilliseconds: { web: true, app: true, offline: false },
  partialFailure: "reject_all",
  errorEnvelope: "nested",
  errorCodes: "text",
  namesBadEvent: true,
  firstEventIndex: 1,
  invalidStatus: 400,
  unknownEventNames: "reject",
  appOnlyEventNames: "reject",
  unknownCurrencies: "warn",
  urlRequiredOffWeb: false,
  unknownKeys: "warn",
  unhashedCheck: true,
  identityCheck: true,
  gzipRequests: "reject",
  dedupeMs: 2 * DAY_MS,
  dedupeByName: false,
  dedupeByTime: false,
  purchaseDedupeMs: 30 * DAY_MS,
  logsRetentionMs: DAY_MS,
  accessTokenSeconds: 3_600,
  authorizationCodeSeconds: 600,
  refreshToken: "same",
  removedMemberTokens: "live",
  redirectUris: "registered",
  statusCase: "upper",
  requestIds: "uuid",
  subErrorStatus: 200,
  unauthorizedBody: "text",
  defaultPageSize: 50,
  pageLimits: "enforce",
  newSegmentStatus: "ACTIVE",
  segmentsPerAdAccount: 1_000,
  segmentsPerRequest: 15,
  identifiersPerRequest: 100_000,
  userBlocks: "one",
  duplicateSegmentNames: "accept",
  retentionMutable: true,
  uploadedShare: 1,
  matchedShare: 0.6,
  processingMs: 2 * 3_600_000,
  membershipSpreadMs: 0,
  minimumAudience: 1_000,
  rateLimits: true,
  rateWindow: "sliding",
  oauthTokenPerSecond: 10,
  oauthAppPerSecond: 20,
  conversionsTokenPerSecond: 1_000,
  entityWritesPer5Seconds: 83,
  rateScope: "shared",
  validateCounts: true,
  rateLimitHeaders: "milliseconds",
  pixelConfigDelayMs: 0,
  pixelConfigFails: false,
  pixelAutomatedMatching: false,
  pixelMicroData: true,
  pixelNewerBuild: "",
  pixelThrottleMs: 50,
  pixelConfigTimeoutMs: 5_000,
  scidForm: "uuid",
  shadowOnLocalhost: true,
  latencyMs: 0,
};

/** The words a knob takes, where it takes words or a few numbers. */
const CHOICES: { readonly [K in keyof Knobs]?: readonly Knobs[K][] } = {
  conversionsAuth: ["query", "query_or_bearer"],
  invalidTokenStatus: [400, 401],
  foreignAssetStatus: [400, 401, 403],
  partialFailure: ["reject_all", "accept_good", "accept_good_silently"],
  errorEnvelope: ["nested", "flat"],
  errorCodes: ["text", "number"],
  firstEventIndex: [0, 1],
  invalidStatus: [200, 400],
  unknownEventNames: ["reject", "accept"],
  appOnlyEventNames: ["reject", "accept"],
  unknownCurrencies: ["reject", "warn"],
  unknownKeys: ["ignore", "warn", "reject"],
  gzipRequests: ["reject", "accept"],
  refreshToken: ["same", "rotated", "rotated_old_stays"],
  removedMemberTokens: ["live", "die"],
  redirectUris: ["registered", "loopback"],
  statusCase: ["upper", "lower"],
  requestIds: ["uuid", "legacy"],
  subErrorStatus: [200, 400],
  unauthorizedBody: ["text", "json"],
  pageLimits: ["enforce", "clamp"],
  newSegmentStatus: ["ACTIVE", "PENDING"],
  userBlocks: ["one", "many"],
  duplicateSegmentNames: ["accept", "reject"],
  rateWindow: ["sliding", "aligned", "both"],
  rateScope: ["shared", "per_api"],
  rateLimitHeaders: ["milliseconds", "seconds", "none"],
  scidForm: ["uuid", "opaque"],
};

/**
 * Turns several knobs, or none of them.
 *
 * @throws an Error that names the knob, where one is unknown or takes something else.
 * @example
 * ```ts
 * import { createSimulator, turnKnobs } from "snapchat-destination/testing";
 *
 * const simulator = await createSimulator();
 * turnKnobs(simulator.knobs, { partialFailure: "accept_good" }); // the bad event of a batch costs only itself
 * ```
 */
export function turnKnobs(knobs: Knobs, changes: object): Knobs {
  for (const [name, value] of Object.entries(changes)) {
    if (!Object.hasOwn(DEFAULT_KNOBS, name)) throw new Error(`The simulator has no knob called ${name}.`);
    const choices: readonly unknown[] | undefined = CHOICES[name as keyof Knobs];
    const wanted = choices?.join(", ") ?? typeof DEFAULT_KNOBS[name as keyof Knobs];
    const fits = choices ? choices.includes(value) : typeof value === wanted && value !== null;
    if (!fits) throw new Error(`The knob ${name} takes: ${wanted}.`);
  }
  return Object.assign(knobs, changes);
}
