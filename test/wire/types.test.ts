import { describe, expect, expectTypeOf, it } from "vitest";
import type { ConversionsClient } from "../../src/capi/index.ts";
import type { SnapEventInput, UserDataInput } from "../../src/wire/event.ts";
import type { FieldName } from "../../src/wire/fields.ts";
import type { AppData, Content, CustomData, SnapEvent } from "../../src/wire/snap-event.ts";

const web = {
  event_time: 1_790_000_000,
  action_source: "WEB",
  event_source_url: "https://shop.example/",
  user_data: { em: "jane@example.com" },
} as const;
const app = {
  event_time: 1_790_000_000,
  action_source: "MOBILE_APP",
  user_data: { madid: "38400000-8cf0-11bd-b23e-10b96e40000d" },
  app_data: { app_id: "net.example", advertiser_tracking_enabled: 1, extinfo: { platform: "android", osVersion: 15 } },
} as const;

describe("the type of an event", () => {
  it("takes what Snapchat takes", () => {
    const events: SnapEvent[] = [
      { ...web, event_name: "PAGE_VIEW" },
      { ...web, event_name: "PURCHASE", custom_data: { value: 1, currency: "GBP" } },
      { ...web, action_source: "OFFLINE", event_name: "PURCHASE", custom_data: { value: "1", currency: "GBP" } },
      { ...app, event_name: "APP_OPEN" },
      { ...app, event_name: "PURCHASE", custom_data: { value: 1, currency: "GBP" } },
    ];
    expect(events).toHaveLength(5);
  });

  it("refuses what Snapchat refuses", () => {
    // @ts-expect-error a purchase without value and currency
    const purchase: SnapEvent = { ...web, event_name: "PURCHASE" };
    // @ts-expect-error a purchase without a currency
    const currency: SnapEvent = { ...web, event_name: "PURCHASE", custom_data: { value: 1 } };
    // @ts-expect-error a purchase without a value
    const value: SnapEvent = { ...app, event_name: "PURCHASE", custom_data: { currency: "GBP" } };
    const { app_data, ...bare } = app;
    // @ts-expect-error an app event without app_data
    const noApp: SnapEvent = { ...bare, event_name: "APP_OPEN" };
    // @ts-expect-error app_data without the OS version
    const noOs: SnapEvent = { ...app, event_name: "SAVE", app_data: { ...app_data, extinfo: { platform: "ios" } } };
    // @ts-expect-error an advertising id on the web
    const madid: SnapEvent = { ...web, event_name: "SAVE", user_data: { madid: "x" } };
    // @ts-expect-error an app's event on the web
    const install: SnapEvent = { ...web, event_name: "APP_INSTALL" };
    // @ts-expect-error a name Snapchat does not have
    const name: SnapEvent = { ...web, event_name: "ADD_TO_CART" };
    const { event_source_url, ...nowhere } = web;
    // @ts-expect-error a web event without an address
    const noUrl: SnapEvent = { ...nowhere, event_name: "PAGE_VIEW" };
    // @ts-expect-error a source nobody knows
    const source: SnapEvent = { ...web, event_name: "PAGE_VIEW", action_source: "SERVER" };
    const five = { ...app_data, extinfo: ["a2", "", "", "", "15"] } as const;
    // @ts-expect-error five slots instead of sixteen
    const slots: SnapEvent = { ...app, event_name: "SAVE", app_data: five };
    // @ts-expect-error a request to delete
    const del: SnapEvent = { ...web, event_name: "SAVE", data_processing_options: ["DELETE"] };
    expect([
      purchase,
      currency,
      value,
      noApp,
      noOs,
      madid,
      install,
      name,
      noUrl,
      source,
      slots,
      del,
      event_source_url,
    ]).toHaveLength(13);
  });

  it("is what the client takes; looser events have to be prepared", () => {
    expectTypeOf<SnapEvent>().toExtend<SnapEventInput>();
    type Sendable = Parameters<ConversionsClient["send"]>[1];
    expectTypeOf<SnapEvent[]>().toExtend<Sendable>();
    expectTypeOf<SnapEventInput[]>().not.toExtend<Sendable>();
  });

  it("names the fields of the table, no more and no fewer", () => {
    expectTypeOf<keyof CustomData>().toEqualTypeOf<FieldName<"custom_data">>();
    expectTypeOf<keyof Content>().toEqualTypeOf<FieldName<"contents">>();
    expectTypeOf<keyof AppData>().toEqualTypeOf<FieldName<"app_data">>();
    expectTypeOf<keyof UserDataInput>().toEqualTypeOf<FieldName<"user_data">>();
    expectTypeOf<Exclude<keyof SnapEventInput, "carried_time">>().toEqualTypeOf<FieldName<"root">>();
  });
});
