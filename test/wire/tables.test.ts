import { describe, expect, it } from "vitest";
import * as oracle from "../../src/testing/simulator/conversions/names.ts";
import { ACTION_SOURCES, toActionSource } from "../../src/wire/action-sources.ts";
import { CURRENCIES } from "../../src/wire/currencies.ts";
import { EVENT_NAME_ALIASES, EVENT_NAMES, isEventName } from "../../src/wire/event-names.ts";
import { EXTINFO_SLOTS, extinfo } from "../../src/wire/extinfo.ts";
import { FIELDS, type FieldLevel, fieldsOf, PIXEL_ONLY, pathOf, pixelName } from "../../src/wire/fields.ts";

const names = (level: FieldLevel) => fieldsOf(level).map(({ name }) => name);

describe("the field table", () => {
  it("names every field once", () => {
    const paths = FIELDS.map(pathOf);
    expect(new Set(paths).size).toBe(paths.length);
  });

  it("gives no other name to two fields of a level, nor one that is a field itself", () => {
    for (const level of ["root", "user_data", "custom_data", "contents", "app_data"] as const) {
      const aliases = fieldsOf(level).flatMap(({ aliases = [] }) => aliases);
      expect(new Set(aliases).size).toBe(aliases.length);
      expect(aliases.filter((alias) => names(level).includes(alias))).toEqual([]);
    }
  });

  it("holds only fields the simulator's own copy of the table knows", () => {
    expect(names("root").filter((name) => !oracle.ROOT_FIELDS.has(name))).toEqual([]);
    expect(names("user_data").filter((name) => !oracle.USER_FIELDS.has(name))).toEqual([]);
    expect(names("custom_data").filter((name) => !oracle.CUSTOM_FIELDS.has(name))).toEqual([]);
    expect(names("app_data").filter((name) => !oracle.APP_FIELDS.has(name))).toEqual([]);
  });

  it("lacks only fields that Snapchat's pages do not explain or that are said to be left out", () => {
    const lacking = (known: ReadonlySet<string>, level: FieldLevel) =>
      [...known].filter((name) => !names(level).includes(name));
    expect(lacking(oracle.USER_FIELDS, "user_data")).toEqual(["db", "mobile_ad_id"]);
    expect(lacking(oracle.CUSTOM_FIELDS, "custom_data")).toEqual([]);
    expect(lacking(oracle.APP_FIELDS, "app_data")).toEqual([]);
    expect(lacking(oracle.ROOT_FIELDS, "root").sort()).toEqual([
      "asset_id",
      "data_processing_options_country",
      "data_processing_options_state",
      "raw_request",
      "request_id",
    ]);
  });

  it("knows the pixel's names", () => {
    expect(pixelName("custom_data.value")).toBe("price");
    expect(pixelName("event_id")).toBe("client_dedup_id");
    expect(pixelName("custom_data.order_id")).toBe("transaction_id");
    expect(pixelName("custom_data.contents")).toBeUndefined();
    expect(pixelName("toString")).toBeUndefined();
    expect(PIXEL_ONLY).toContain("customer_status");
  });
});

describe("names, sources, currencies", () => {
  it("are the same as in the simulator's own copy", () => {
    expect(new Set(EVENT_NAMES)).toEqual(new Set(oracle.EVENT_NAMES));
    expect(EVENT_NAMES).toHaveLength(31);
    expect(new Set(CURRENCIES)).toEqual(new Set(oracle.CURRENCIES));
    const kinds = { web: "WEB", app: "MOBILE_APP", offline: "OFFLINE" } as const;
    for (const [spelling, kind] of oracle.ACTION_SOURCES) expect(ACTION_SOURCES[spelling]).toBe(kinds[kind]);
  });

  it("read known spellings and nothing else", () => {
    expect(toActionSource("Website ")).toBe("WEB");
    expect(toActionSource("constructor")).toBeUndefined();
    expect(Object.values(EVENT_NAME_ALIASES).every(isEventName)).toBe(true);
    expect(Object.keys(EVENT_NAME_ALIASES).some(isEventName)).toBe(false);
  });
});

describe("extinfo", () => {
  it("puts each fact in its slot", () => {
    const slots = extinfo({
      platform: "ios",
      osVersion: 17.2,
      screenWidth: 1080,
      screenHeight: 2400,
      timezone: "Europe/London",
    });
    expect(slots).toHaveLength(16);
    expect(slots[0]).toBe("i2");
    expect(slots[4]).toBe("17.2");
    expect(slots[EXTINFO_SLOTS.indexOf("screenWidth")]).toBe("1080");
    expect(slots[10]).toBe("2400");
    expect(slots[15]).toBe("Europe/London");
    expect(slots[1]).toBe("");
  });
});
