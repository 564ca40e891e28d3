import type { Knobs } from "../knobs.ts";
import { isObject } from "../message.ts";
import { APP_FIELDS, CURRENCIES, CUSTOM_FIELDS } from "./names.ts";
import { ERRORS, WARNINGS } from "./problems.ts";
import { judgeKeys, type Verdict } from "./verdict.ts";

const CURRENCY = /^[A-Za-z]{3}$/;

/** `custom_data`. */
export function judgeCustom(custom: unknown, knobs: Knobs, verdict: Verdict): void {
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

/** `app_data`, of app events. */
export function judgeApp(app: unknown, knobs: Knobs, verdict: Verdict): void {
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
