import type { UserDataInput } from "../wire/event.ts";
import type { CanonicalEvent } from "./event.ts";
import type { Library } from "./mapping.ts";
import type { Mapping } from "./workflow.ts";
import { compileWriter, type Fields, toIdentifier, type Writer } from "./writer.ts";

/** Fields of `user_data` a mapping may write, as Snapchat names them. */
export const USER_FIELDS = [
  "em",
  "ph",
  "fn",
  "ln",
  "ge",
  "ct",
  "st",
  "zp",
  "country",
  "external_id",
  "client_ip_address",
  "client_user_agent",
  "sc_click_id",
  "sc_cookie1",
  "madid",
  "idfv",
  "lead_id",
  "subscription_id",
  "partner_id",
  "anon_id",
  "download_id",
] as const satisfies readonly (keyof UserDataInput)[];

/** Sent with app events only (Conversions-API/Parameters). */
const APP_ONLY: readonly string[] = ["madid", "idfv", "anon_id", "download_id"];

/** Where `user_data` comes from unless a workflow says otherwise; every source fills these places. */
export const USER_MAP: Readonly<Record<string, Mapping>> = {
  em: { path: "traits.email" },
  ph: { path: "traits.phone" },
  fn: { path: "traits.first_name" },
  ln: { path: "traits.last_name" },
  ge: { path: "traits.gender" },
  ct: { path: "traits.city" },
  st: { path: "traits.state" },
  zp: { path: "traits.zip" },
  country: { path: "traits.country" },
  external_id: { first: [{ path: "ids.userId" }, { path: "ids.anonymousId" }] },
  client_ip_address: { path: "context.ip" },
  client_user_agent: { path: "context.userAgent" },
  sc_click_id: { path: "context.clickId" },
  sc_cookie1: { path: "context.cookie1" },
  madid: { path: "context.device.advertisingId" },
  idfv: { path: "context.device.id" },
};

/** Reads a person out of an event: raw, one text or a list of texts a field. */
export interface UserReader {
  /** Everything but the device ids. */
  web(event: CanonicalEvent): UserDataInput;
  /** `web` plus the device ids, for app events and segments. */
  app(event: CanonicalEvent, web: UserDataInput): UserDataInput;
}

/** Compiles where a person's fields come from. */
export function compileUser(map: Fields, library: Library): UserReader {
  const writer = (fields: readonly string[]): Writer => {
    const own = fields.filter((field) => Object.hasOwn(map, field)).map((field) => [field, map[field]]);
    return (library.writer ?? compileWriter)(Object.fromEntries(own), library, toIdentifier);
  };
  const web = writer(USER_FIELDS.filter((field) => !APP_ONLY.includes(field)));
  const app = writer(APP_ONLY);
  const read = (write: Writer, event: CanonicalEvent, out: Record<string, unknown>): UserDataInput => {
    write(out, event);
    return out;
  };
  return {
    web: (event) => read(web, event, {}),
    app: (event, known) => read(app, event, { ...known }),
  };
}
