import { isIP } from "node:net";
import type { Knobs } from "../knobs.ts";
import { isObject } from "../message.ts";
import { DIGESTS_OF_NOTHING, digestKind } from "./digest.ts";
import { HASHED_FIELDS, USER_FIELDS } from "./names.ts";
import { ERRORS, WARNINGS } from "./problems.ts";
import { judgeKeys, type Verdict } from "./verdict.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ZERO_ID = "00000000-0000-0000-0000-000000000000";

/** `user_data`: hashed fields, plain fields, and whether there is enough to find somebody by. */
export function judgeUser(user: unknown, knobs: Knobs, verdict: Verdict): void {
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

const PLAIN_TEXT_FIELDS = [
  "client_user_agent",
  "sc_click_id",
  "sc_cookie1",
  "idfv",
  "lead_id",
  "subscription_id",
  "partner_id",
  "download_id",
] as const;

/** Fields that travel in plain. Whether they identify: address with user agent, or an advertising id in an app. */
function judgeTransport(user: Record<string, unknown>, verdict: Verdict): boolean {
  const { client_ip_address: ip, client_user_agent: agent, external_id: external } = user;
  const validIp = typeof ip === "string" && isIP(ip) !== 0;
  if (ip !== undefined && !validIp) verdict.errors.push(ERRORS.ipInvalid);
  for (const field of PLAIN_TEXT_FIELDS) {
    const value = user[field];
    if (value !== undefined && typeof value !== "string") verdict.errors.push(ERRORS.userFieldInvalid);
  }
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
