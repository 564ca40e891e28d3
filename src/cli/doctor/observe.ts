import { gzipSync } from "node:zlib";
import type { HttpResponse } from "../../http/index.ts";
import type { Knobs } from "../../testing/simulator/index.ts";
import type { Ask, Patient } from "./ask.ts";
import { trialEvents } from "./trial-events.ts";

/** A fact about Snapchat that an answer showed, under the name of the simulator's knob for it. */
export interface Observation {
  knob: keyof Knobs;
  /** What was seen, in the knob's own values where it has a few; else in words. */
  seen: unknown;
  /** Whether the simulator's default does the same. */
  agrees: boolean;
}

/** Facts that no reading and no validating shows, and why. */
export const NOT_OBSERVED: Partial<Record<keyof Knobs, string>> = {
  conversionsTokenRefusedMs: "only a new token shows it",
  maxBodyBytes: "a body of that size is not sent for a question",
  partialFailure: "only events that count show it",
  namesBadEvent: "only events that count show it",
  dedupeMs: "only events that count show it",
  dedupeByName: "only events that count show it",
  dedupeByTime: "only events that count show it",
  purchaseDedupeMs: "only events that count show it",
  logsRetentionMs: "it takes a day",
  accessTokenSeconds: "a sign-in shows it; the doctor is given a token",
  authorizationCodeSeconds: "a sign-in shows it; the doctor is given a token",
  refreshToken: "a refresh may end the token that it uses",
  removedMemberTokens: "a person would have to leave the organization",
  redirectUris: "a sign-in shows it; the doctor is given a token",
  subErrorStatus: "only changes that fail show it",
  defaultPageSize: "only a list that is longer than a page shows it",
  newSegmentStatus: "a segment would have to be made",
  segmentsPerAdAccount: "segments would have to be made",
  segmentsPerRequest: "segments would have to be made",
  identifiersPerRequest: "members would have to be changed",
  userBlocks: "members would have to be changed",
  duplicateSegmentNames: "a segment would have to be made",
  retentionMutable: "a segment would have to be changed",
  uploadedShare: "members would have to be changed",
  matchedShare: "members would have to be changed",
  processingMs: "members would have to be changed",
  membershipSpreadMs: "members would have to be changed",
  minimumAudience: "members would have to be changed",
  rateLimits: "the doctor stays below every limit",
  rateWindow: "the doctor stays below every limit",
  oauthTokenPerSecond: "the doctor stays below every limit",
  oauthAppPerSecond: "the doctor stays below every limit",
  conversionsTokenPerSecond: "the doctor stays below every limit",
  entityWritesPer5Seconds: "the doctor stays below every limit",
  rateLimitHeaders: "only answers to changes carry them",
  rateScope: "the doctor stays below every limit",
  validateCounts: "the doctor stays below every limit",
  pixelConfigDelayMs: "only a browser shows it",
  pixelConfigFails: "only a browser shows it",
  pixelAutomatedMatching: "only a browser shows it",
  pixelMicroData: "only a browser shows it",
  pixelThrottleMs: "only a browser shows it",
  pixelNewerBuild: "only a browser shows it",
  pixelConfigTimeoutMs: "only a browser shows it",
  scidForm: "only a browser shows it",
  shadowOnLocalhost: "only a browser shows it",
  latencyMs: "it is the network's as much as Snapchat's",
};

/** Nobody's token and nobody's asset. */
const NO_TOKEN = "doctor-not-a-token";
const NO_ASSET = "00000000-0000-4000-8000-00000000d0c7";

/** Asks what can be asked without changing or counting anything, and compares with the simulator's defaults. */
export async function observe(
  ask: Ask,
  patient: Patient,
  defaults: Readonly<Knobs>,
  nowMs: number,
): Promise<Observation[]> {
  const seen: Observation[] = [];
  const note = <K extends keyof Knobs>(knob: K, value: Knobs[K] | undefined) => {
    if (value !== undefined) seen.push({ knob, seen: value, agrees: value === defaults[knob] });
  };
  const say = (knob: keyof Knobs, words: string | undefined) => {
    if (words !== undefined) seen.push({ knob, seen: words, agrees: words === "as expected" });
  };
  await askAds(ask, patient, note);
  await askTokens(ask, note);
  await askValidation(ask, nowMs, note, say);
  return seen;
}

type Note = <K extends keyof Knobs>(knob: K, value: Knobs[K] | undefined) => void;

async function askAds(ask: Ask, patient: Patient, note: Note): Promise<void> {
  const me = await ask.ads("/me");
  if (me?.status === 200) {
    const status = field(me, "request_status");
    note("statusCase", status === "SUCCESS" ? "upper" : status === "success" ? "lower" : undefined);
    const id = me.headers.get("x-request-id");
    if (id !== null) note("requestIds", /^[0-9a-f]{8}-[0-9a-f]{4}-/i.test(id) ? "uuid" : "legacy");
  }
  const refused = await ask.ads("/me", NO_TOKEN);
  if (refused?.status === 401) note("unauthorizedBody", typeof refused.json === "object" ? "json" : "text");
  const account = patient.adAccountId;
  if (account !== undefined) {
    const page = await ask.ads(`/adaccounts/${encodeURIComponent(account)}/segments?limit=10`);
    if (page && page.status < 500) note("pageLimits", page.status === 200 ? "clamp" : "enforce");
  }
}

async function askTokens(ask: Ask, note: Note): Promise<void> {
  const good = await ask.conversions("/validate/stats");
  if (good?.status !== 200) return;
  const bearer = await ask.conversions("/validate/stats", { bearer: true });
  if (bearer) note("conversionsAuth", bearer.status === 200 ? "query_or_bearer" : "query");
  note(
    "invalidTokenStatus",
    among((await ask.conversions("/validate/stats", { token: NO_TOKEN }))?.status, [400, 401]),
  );
  const foreign = await ask.conversions("/validate/stats", { assetId: NO_ASSET });
  note("foreignAssetStatus", among(foreign?.status, [400, 401, 403]));
}

async function askValidation(
  ask: Ask,
  nowMs: number,
  note: Note,
  say: (knob: keyof Knobs, words: string | undefined) => void,
): Promise<void> {
  const trials = trialEvents(nowMs);
  const body = (events: readonly unknown[]) => JSON.stringify({ data: events });
  const answer = await ask.conversions("/validate", { body: body(trials.map(({ event }) => event)) });
  const logs = eventLogs(answer);
  if (!answer || logs.length !== trials.length) return;
  note("invalidStatus", among(answer.status, [200, 400]));
  const first = logs[0]?.event;
  note("firstEventIndex", first === 0 || first === 1 ? first : undefined);
  const [code] = logs.flatMap(({ errors }) => errors?.codes ?? []);
  note("errorCodes", typeof code === "number" ? "number" : typeof code === "string" ? "text" : undefined);

  const of = (name: string) => logs[trials.findIndex((trial) => trial.name === name)];
  const passes = (name: string): boolean => of(name)?.status === "VALID";
  const warns = (name: string): boolean => (of(name)?.warnings ?? []).length > 0;
  if (!passes("good")) return;
  note("unknownEventNames", passes("unknown-name") ? "accept" : "reject");
  note("appOnlyEventNames", passes("app-name") ? "accept" : "reject");
  note("unknownCurrencies", passes("unknown-currency") ? "warn" : "reject");
  note("urlRequiredOffWeb", !passes("offline-without-url"));
  note("unknownKeys", !passes("unknown-key") ? "reject" : warns("unknown-key") ? "warn" : "ignore");
  note("unhashedCheck", !passes("unhashed"));
  note("identityCheck", !passes("nobody"));
  const bounds = (near: string, far: string) =>
    passes(near) ? (passes(far) ? "later than expected" : "as expected") : "earlier than expected";
  say(
    "maxAgeMs",
    [bounds("web-old", "web-too-old"), bounds("offline-old", "offline-too-old")].find((it) => it !== "as expected") ??
      "as expected",
  );
  say("futureToleranceMs", bounds("slightly-ahead", "ahead"));
  const milliseconds = `${passes("web-milliseconds")}/${passes("offline-milliseconds")}`;
  say("acceptsMilliseconds", milliseconds === "true/false" ? "as expected" : `web/offline: ${milliseconds}`);

  const empty = await ask.conversions("/validate", { body: body([]) });
  if (empty && empty.status < 500 && typeof empty.json === "object") {
    note("errorEnvelope", field(empty, "error_msgs") === undefined ? "nested" : "flat");
  }
  const good = trials.slice(0, 1).map(({ event }) => event);
  const zipped = new Uint8Array(gzipSync(body(good)));
  const gzip = await ask.conversions("/validate", { body: zipped, gzip: true });
  if (gzip && gzip.status < 500) note("gzipRequests", field(gzip, "status") === "VALID" ? "accept" : "reject");
  say("eventsPerRequest", await batchLimit(ask, good[0]));
}

async function batchLimit(ask: Ask, good: unknown): Promise<string | undefined> {
  const many = (count: number) => JSON.stringify({ data: Array.from({ length: count }, () => good) });
  const full = await ask.conversions("/validate", { body: many(2_000) });
  if (!full || full.status >= 500) return undefined;
  if (field(full, "status") !== "VALID") return "fewer than 2,000";
  const over = await ask.conversions("/validate", { body: many(2_001) });
  if (!over || over.status >= 500) return undefined;
  return field(over, "status") === "VALID" ? "more than 2,000" : "as expected";
}

function among<V extends number>(value: number | undefined, values: readonly V[]): V | undefined {
  return values.find((one) => one === value);
}

function field(response: HttpResponse | undefined, name: string): unknown {
  const body = response?.json;
  return typeof body === "object" && body !== null ? (body as Record<string, unknown>)[name] : undefined;
}

/** What validation says of one event. */
interface EventLog {
  event?: unknown;
  status?: unknown;
  errors?: { codes?: readonly unknown[] };
  warnings?: readonly unknown[];
}

function eventLogs(response: HttpResponse | undefined): readonly EventLog[] {
  const logs = field(response, "event_logs");
  return Array.isArray(logs)
    ? logs.map((log) => (typeof log === "object" && log !== null ? (log as EventLog) : {}))
    : [];
}
