import type { Knobs } from "../knobs.ts";
import { isObject } from "../message.ts";
import type { Asset } from "../world.ts";
import { judgeApp, judgeCustom } from "./judge-details.ts";
import { judgeUser } from "./judge-user.ts";
import { ACTION_SOURCES, DATA_PROCESSING_OPTIONS, EVENT_NAMES, ROOT_FIELDS } from "./names.ts";
import { ERRORS, WARNINGS } from "./problems.ts";
import { judgeKeys, type Verdict } from "./verdict.ts";

const MILLISECONDS_FROM = 1e12;
const DIGITS = /^\d{1,16}$/;
const URL_WITH_SCHEME = /^[a-z][a-z0-9+.-]*:\/\/./i;

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
