import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { appOpen, NOW_S, purchase } from "./events.ts";

/** A person nobody else is: none of this may come out in plain. */
export const CANARY = { em: "Canary.Person@secret.example", ph: "+44 7700 900999" } as const;

/** Right events of every kind, to be spoilt. */
export const EVENTS: readonly unknown[] = [
  purchase({
    event_source_url: "https://shop.example/thanks?ScCid=Ab1&utm_source=s&x=1",
    user_data: {
      em: [CANARY.em, "b@example.com"],
      ph: CANARY.ph,
      fn: "Jane",
      ln: "O’Brien",
      ge: "Female",
      ct: "São Paulo",
      st: "California",
      zp: "94043-1351",
      country: "US",
      external_id: "User-42",
      client_ip_address: "203.0.113.24, 10.0.0.1",
      client_user_agent: "ExampleBrowser/9.1 (made up)",
      sc_cookie1: "5f0c1d2e-aaaa-4bbb-8ccc-ddddeeeeffff",
    },
    custom_data: {
      value: "64.50",
      currency: "gbp",
      order_id: "SO-1",
      content_ids: ["sku-9", "sku-12"],
      contents: [{ id: "sku-9", quantity: 2, item_price: "20,50", brand: "Acme" }],
      num_items: 3,
      custom_fields: { plan: "gold", seats: 3 },
    },
    data_processing_options: ["LMU"],
  }),
  purchase({ action_source: "physical_store", event_time: (NOW_S - 86_400) * 1_000, user_data: { ph: CANARY.ph } }),
  purchase({
    event_name: "SEARCH",
    event_time: "2026-11-20T11:00:00+01:00",
    user_data: { client_ip_address: "2001:db8::1", client_user_agent: "UA" },
    custom_data: { search_string: "hats", checkin_date: "2026-12-01", num_adults: 2, suggested_hotels: ["h1", "h2"] },
  }),
  purchase({
    user_data: { email: CANARY.em, pn: CANARY.ph },
    custom_data: { price: 1, currency: "EUR", event_id: "x" },
  }),
  appOpen({
    app_data: {
      app_id: 7,
      advertiser_tracking_enabled: true,
      extinfo: [
        "i2",
        "net.example",
        "7",
        "1.2",
        "17.2",
        "Phone",
        "en_GB",
        "GMT",
        "",
        1080,
        2400,
        "2",
        8,
        128,
        61,
        "Europe/London",
      ],
      url_schemes: ["example"],
    },
    user_data: {
      madid: "38400000-8CF0-11BD-B23E-10B96E40000D",
      idfv: "38400000-8CF0-11BD-B23E-10B96E40000E",
      em: CANARY.em,
    },
  }),
];

/** Lines of the made-up shop's day. */
export async function shopDay(limit: number): Promise<{ received_at: string; event: unknown }[]> {
  const lines: { received_at: string; event: unknown }[] = [];
  const file = new URL("../../examples/data/shop-day.ndjson", import.meta.url);
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (line !== "") lines.push(JSON.parse(line) as { received_at: string; event: unknown });
    if (lines.length >= limit) break;
  }
  return lines;
}
