import { isIP } from "node:net";
import type { Knobs } from "../knobs.ts";
import { isObject } from "../message.ts";
import type { Asset } from "../world.ts";
import {
  ACTION_SOURCES,
  APP_FIELDS,
  CURRENCIES,
  CUSTOM_FIELDS,
  DATA_PROCESSING_OPTIONS,
  EVENT_NAMES,
  HASHED_FIELDS,
  ROOT_FIELDS,
  type SourceKind,
  USER_FIELDS,
} from "./names.ts";
import { ERRORS, type Problem, WARNINGS } from "./problems.ts";

/** What was found in one event. One object serves a whole batch: read it before the next event is judged. */
export interface Verdict {
  errors: Problem[];
  warnings: Problem[];
  /** Upper-case, as it is counted. */
  name: string;
  eventId: string | undefined;
  /** Milliseconds; `NaN` where there is none. */
  timeMs: number;
  source: SourceKind | undefined;
  orderId: string | undefined;
  /** The event itself asks not to be counted. */
  test: boolean;
}

export function createVerdict(): Verdict {
  return {
    errors: [],
    warnings: [],
    name: "",
    eventId: undefined,
    timeMs: Number.NaN,
    source: undefined,
    orderId: undefined,
    test: false,
  };
}

const MILLISECONDS_FROM = 1e12;
const DIGITS = /^\d{1,16}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ZERO_ID = "00000000-0000-0000-0000-000000000000";
const URL_WITH_SCHEME = /^[a-z][a-z0-9+.-]*:\/\/./i;
const CURRENCY = /^[A-Za-z]{3}$/;

/** Digests of the empty text, `null`, `undefined` and an empty list or object as text. */
const DIGESTS_OF_NOTHING: ReadonlySet<string> = new Set([
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b",
  "eb045d78d273107348b0300c01d29b7552d622abbc6faf81b3ec55359aa9950c",
  "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945",
  "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
]);

/** Judges one event as Snapchat would: fills `verdict`, changes nothing else. */
export function judgeEvent(event: unknown, asset: Asset, now: number, knobs: Knobs, verdict: Verdict): void {
  verdict.errors.length = 0;
  verdict.warnings.length = 0;
  verdict.name = "";
  verdict.eventId = undefined;
  verdict.timeMs = Number.NaN;
  verdict.source = undefined;
  verdict.orderId = undefined;
  verdict.test = false;
  if (!isObject(event)) {
    verdict.errors.push(ERRORS.notAnObject);
    return;
  }
  judgeSource(event, asset, knobs, verdict);
  judgeName(event, knobs, verdict);
  judgeTime(event, now, knobs, verdict);
  judgeRoot(event, knobs, verdict);
  judgeUser(event.user_data, knobs, verdict);
  judgeCustom(event.custom_data, knobs, verdict);
  if (verdict.source === "app") judgeApp(event.app_data, knobs, verdict);
}

function judgeSource(event: Record<string, unknown>, asset: Asset, knobs: Knobs, verdict: Verdict): void {
  const raw = event.action_source;
  if (raw === undefined || raw === null || raw === "") {
    verdict.errors.push(ERRORS.sourceMissing);
  } else {
    const source = typeof raw === "string" ? ACTION_SOURCES.get(raw.toLowerCase()) : undefined;
    if (source === undefined) verdict.errors.push(ERRORS.sourceUnknown);
    else if ((source === "app") !== (asset.kind === "app")) verdict.errors.push(ERRORS.sourceOfOtherAsset);
    verdict.source = source;
  }
  const url = event.event_source_url;
  if (url === undefined || url === null || url === "") {
    if (verdict.source === "web" || knobs.urlRequiredOffWeb) verdict.errors.push(ERRORS.urlMissing);
  } else if (typeof url !== "string" || !URL_WITH_SCHEME.test(url)) {
    verdict.errors.push(ERRORS.urlInvalid);
  } else if (url.includes("@") || url.includes("%40")) {
    verdict.warnings.push(WARNINGS.personalDataInUrl);
  }
}

function judgeName(event: Record<string, unknown>, knobs: Knobs, verdict: Verdict): void {
  const raw = event.event_name;
  if (typeof raw !== "string" || raw === "") {
    verdict.errors.push(ERRORS.nameMissing);
    return;
  }
  let name = raw;
  if (!EVENT_NAMES.has(name)) {
    name = raw.toUpperCase();
    if (EVENT_NAMES.has(name)) {
      verdict.warnings.push(WARNINGS.nameCase);
    } else if (knobs.unknownEventNames === "reject") {
      verdict.errors.push(ERRORS.nameUnknown);
    } else {
      verdict.warnings.push(WARNINGS.nameFree);
    }
  }
  verdict.name = name;
  const appOnly = name === "APP_INSTALL" || name === "APP_OPEN";
  if (appOnly && verdict.source !== "app" && knobs.appOnlyEventNames === "reject") {
    verdict.errors.push(ERRORS.nameAppOnly);
  }
}

function judgeTime(event: Record<string, unknown>, now: number, knobs: Knobs, verdict: Verdict): void {
  const raw = event.event_time;
  if (raw === undefined || raw === null || raw === "") {
    verdict.errors.push(ERRORS.timeMissing);
    return;
  }
  let time = typeof raw === "number" ? raw : Number.NaN;
  if (typeof raw === "string" && DIGITS.test(raw)) {
    time = Number(raw);
    verdict.warnings.push(WARNINGS.timeText);
  }
  if (!Number.isFinite(time) || time <= 0) {
    verdict.errors.push(ERRORS.timeInvalid);
    return;
  }
  const source = verdict.source ?? "web";
  if (time >= MILLISECONDS_FROM) {
    if (!knobs.acceptsMilliseconds[source]) {
      verdict.errors.push(ERRORS.timeInvalid);
      return;
    }
    verdict.warnings.push(WARNINGS.timeMilliseconds);
    verdict.timeMs = time;
  } else {
    if (!Number.isInteger(time)) verdict.warnings.push(WARNINGS.timeFraction);
    verdict.timeMs = time * 1_000;
  }
  if (verdict.timeMs > now + knobs.futureToleranceMs) verdict.errors.push(ERRORS.timeInFuture);
  else if (verdict.timeMs < now - knobs.maxAgeMs[source]) verdict.errors.push(ERRORS.timeTooOld);
}

function judgeRoot(event: Record<string, unknown>, knobs: Knobs, verdict: Verdict): void {
  const id = event.event_id;
  if (id === undefined || id === null || id === "") {
    verdict.warnings.push(WARNINGS.idMissing);
  } else if (typeof id === "string") {
    verdict.eventId = id;
  } else if (typeof id === "number") {
    verdict.eventId = String(id);
    verdict.warnings.push(WARNINGS.idNumber);
  } else {
    verdict.errors.push(ERRORS.idInvalid);
  }
  if (event.integration === undefined) verdict.warnings.push(WARNINGS.integrationMissing);
  const code = event.test_event_code;
  verdict.test = typeof code === "string" && code !== "";
  if (event.data_processing_options !== undefined) judgeProcessing(event.data_processing_options, verdict);
  judgeKeys(event, ROOT_FIELDS, knobs, verdict);
}

function judgeProcessing(options: unknown, verdict: Verdict): void {
  if (typeof options === "string") {
    verdict.warnings.push(WARNINGS.processingText);
    if (!/lmu|ldu|delete/i.test(options)) verdict.errors.push(ERRORS.processingInvalid);
    return;
  }
  if (!Array.isArray(options)) {
    verdict.errors.push(ERRORS.processingInvalid);
    return;
  }
  for (const option of options) {
    if (typeof option !== "string" || !DATA_PROCESSING_OPTIONS.has(option.toUpperCase())) {
      verdict.errors.push(ERRORS.processingInvalid);
      return;
    }
    if (option.toUpperCase() === "DELETE") verdict.warnings.push(WARNINGS.deletion);
  }
}

function judgeUser(user: unknown, knobs: Knobs, verdict: Verdict): void {
  if (!isObject(user)) {
    verdict.errors.push(ERRORS.userMissing);
    return;
  }
  let identified = false;
  if (knobs.unhashedCheck) {
    for (const field of HASHED_FIELDS) {
      const value = user[field];
      if (value === undefined) continue;
      const usable = judgeDigests(value, verdict);
      if (usable && (field === "em" || field === "ph")) identified = true;
    }
  } else {
    identified = user.em !== undefined || user.ph !== undefined;
  }
  if (judgeTransport(user, verdict)) identified = true;
  if (knobs.identityCheck && !identified) verdict.errors.push(ERRORS.identityMissing);
  judgeKeys(user, USER_FIELDS, knobs, verdict);
}

/** Whether at least one usable digest is there. */
function judgeDigests(value: unknown, verdict: Verdict): boolean {
  if (typeof value === "string") return judgeDigest(value, verdict);
  if (!Array.isArray(value)) {
    verdict.errors.push(ERRORS.userFieldInvalid);
    return false;
  }
  let usable = false;
  for (const entry of value) {
    if (typeof entry !== "string") verdict.errors.push(ERRORS.userFieldInvalid);
    else if (judgeDigest(entry, verdict)) usable = true;
  }
  return usable;
}

function judgeDigest(value: string, verdict: Verdict): boolean {
  const kind = digestKind(value);
  if (kind === "none") {
    verdict.errors.push(ERRORS.unhashed);
    return false;
  }
  if (kind === "upper") verdict.warnings.push(WARNINGS.digestUpperCase);
  if (DIGESTS_OF_NOTHING.has(value)) {
    verdict.warnings.push(WARNINGS.digestOfNothing);
    return false;
  }
  return true;
}

/** 64 hexadecimal characters, and whether any is upper-case. A loop: this runs about ten times an event. */
export function digestKind(value: string): "lower" | "upper" | "none" {
  if (value.length !== 64) return "none";
  let upper = false;
  for (let i = 0; i < 64; i++) {
    const c = value.charCodeAt(i);
    if ((c >= 48 && c <= 57) || (c >= 97 && c <= 102)) continue;
    if (c >= 65 && c <= 70) upper = true;
    else return "none";
  }
  return upper ? "upper" : "lower";
}

/** Fields that travel in plain. Whether they identify: address with user agent, or an advertising id in an app. */
function judgeTransport(user: Record<string, unknown>, verdict: Verdict): boolean {
  const { client_ip_address: ip, client_user_agent: agent, external_id: external } = user;
  const validIp = typeof ip === "string" && isIP(ip) !== 0;
  if (ip !== undefined && !validIp) verdict.errors.push(ERRORS.ipInvalid);
  if (agent !== undefined && typeof agent !== "string") verdict.errors.push(ERRORS.userFieldInvalid);
  if (external !== undefined) judgeExternalId(external, verdict);
  let advertised = false;
  const madid = user.madid ?? user.mobile_ad_id;
  if (madid !== undefined) {
    if (typeof madid !== "string") verdict.errors.push(ERRORS.userFieldInvalid);
    else if (madid === ZERO_ID || madid === "") verdict.warnings.push(WARNINGS.zeroId);
    else {
      if (!UUID.test(madid)) verdict.warnings.push(WARNINGS.madidNotPlain);
      if (verdict.source === "app") advertised = true;
      else verdict.warnings.push(WARNINGS.madidOffApp);
    }
  }
  return advertised || (validIp && typeof agent === "string" && agent !== "");
}

function judgeExternalId(external: unknown, verdict: Verdict): void {
  const values = Array.isArray(external) ? external : [external];
  for (const value of values) {
    if (typeof value !== "string") verdict.errors.push(ERRORS.userFieldInvalid);
    else if (value.includes("@")) verdict.errors.push(ERRORS.unhashed);
    else if (digestKind(value) === "none") verdict.warnings.push(WARNINGS.externalIdRaw);
    else if (DIGESTS_OF_NOTHING.has(value)) verdict.warnings.push(WARNINGS.digestOfNothing);
  }
}

function judgeCustom(custom: unknown, knobs: Knobs, verdict: Verdict): void {
  const purchase = verdict.name === "PURCHASE";
  if (custom === undefined || custom === null) {
    if (purchase) verdict.errors.push(ERRORS.valueMissing, ERRORS.currencyMissing);
    return;
  }
  if (!isObject(custom)) {
    verdict.errors.push(ERRORS.customInvalid);
    return;
  }
  judgeValue(custom.value, purchase, verdict);
  judgeCurrency(custom.currency, purchase, knobs, verdict);
  const order = custom.order_id;
  if (typeof order === "string" && order !== "") verdict.orderId = order;
  else if (typeof order === "number") verdict.orderId = String(order);
  const contents = custom.contents;
  if (contents !== undefined && !(Array.isArray(contents) && contents.every(isObject))) {
    verdict.errors.push(ERRORS.contentsInvalid);
  }
  if (custom.event_id !== undefined) verdict.warnings.push(WARNINGS.idInCustomData);
  judgeKeys(custom, CUSTOM_FIELDS, knobs, verdict);
}

function judgeValue(value: unknown, purchase: boolean, verdict: Verdict): void {
  if (value === undefined || value === null || value === "") {
    if (purchase) verdict.errors.push(ERRORS.valueMissing);
  } else if (typeof value === "string") {
    if (Number.isFinite(Number(value))) verdict.warnings.push(WARNINGS.valueText);
    else verdict.errors.push(ERRORS.valueInvalid);
  } else if (typeof value !== "number" || !Number.isFinite(value)) {
    verdict.errors.push(ERRORS.valueInvalid);
  }
}

function judgeCurrency(currency: unknown, purchase: boolean, knobs: Knobs, verdict: Verdict): void {
  if (currency === undefined || currency === null || currency === "") {
    if (purchase) verdict.errors.push(ERRORS.currencyMissing);
  } else if (typeof currency !== "string" || !CURRENCY.test(currency)) {
    verdict.errors.push(ERRORS.currencyInvalid);
  } else if (!CURRENCIES.has(currency)) {
    if (CURRENCIES.has(currency.toUpperCase())) verdict.warnings.push(WARNINGS.currencyCase);
    else if (knobs.unknownCurrencies === "reject") verdict.errors.push(ERRORS.currencyInvalid);
    else verdict.warnings.push(WARNINGS.currencyUnknown);
  }
}

const EXTINFO_SLOTS = 16;

function judgeApp(app: unknown, knobs: Knobs, verdict: Verdict): void {
  if (!isObject(app)) {
    verdict.errors.push(ERRORS.appMissing);
    return;
  }
  if (typeof app.app_id !== "string" || app.app_id === "") verdict.errors.push(ERRORS.appIdMissing);
  const tracking = app.advertiser_tracking_enabled;
  if (!(tracking === 0 || tracking === 1 || typeof tracking === "boolean")) verdict.errors.push(ERRORS.trackingMissing);
  const { extinfo } = app;
  if (!Array.isArray(extinfo) || extinfo.length !== EXTINFO_SLOTS || !extinfo.every(isSlot)) {
    verdict.errors.push(ERRORS.extinfoInvalid);
  } else {
    if (extinfo[0] !== "a2" && extinfo[0] !== "i2") verdict.errors.push(ERRORS.extinfoVersion);
    if (extinfo[4] === "") verdict.errors.push(ERRORS.extinfoOs);
  }
  judgeKeys(app, APP_FIELDS, knobs, verdict);
}

function isSlot(value: unknown): boolean {
  return typeof value === "string" || typeof value === "number";
}

function judgeKeys(object: Record<string, unknown>, known: ReadonlySet<string>, knobs: Knobs, verdict: Verdict): void {
  if (knobs.unknownKeys === "ignore") return;
  for (const key in object) {
    if (known.has(key)) continue;
    if (knobs.unknownKeys === "reject") verdict.errors.push(ERRORS.unknownKey);
    else verdict.warnings.push(WARNINGS.unknownKey);
  }
}
