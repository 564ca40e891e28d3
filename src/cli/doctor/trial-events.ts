import { createHash } from "node:crypto";

/** An event for Snapchat's validation, which counts nothing, with what it tries out. */
export interface TrialEvent {
  name: string;
  event: Record<string, unknown>;
}

const DAY_S = 86_400;
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** Events of which each tries one thing that sources about Snapchat disagree on. */
export function trialEvents(nowMs: number): TrialEvent[] {
  const now = Math.floor(nowMs / 1_000);
  const user = {
    em: [sha256("person@example.com")],
    client_user_agent: "Mozilla/5.0",
    client_ip_address: "203.0.113.7",
  };
  const web = (name: string, changes: Record<string, unknown> = {}): TrialEvent => ({
    name,
    event: {
      event_name: "PAGE_VIEW",
      event_time: now - 60,
      event_id: `doctor-${name}`,
      action_source: "WEB",
      event_source_url: "https://shop.example/",
      integration: "snapchat-destination doctor",
      user_data: user,
      ...changes,
    },
  });
  const offline = (name: string, changes: Record<string, unknown> = {}) =>
    web(name, { action_source: "OFFLINE", ...changes });
  return [
    web("good"),
    web("web-old", { event_time: now - 7 * DAY_S + 3_600 }),
    web("web-too-old", { event_time: now - 7 * DAY_S - 3_600 }),
    offline("offline-old", { event_time: now - 37 * DAY_S + 3_600 }),
    offline("offline-too-old", { event_time: now - 37 * DAY_S - 3_600 }),
    web("slightly-ahead", { event_time: now + 4 * 60 }),
    web("ahead", { event_time: now + 6 * 60 }),
    web("web-milliseconds", { event_time: nowMs - 60_000 }),
    offline("offline-milliseconds", { event_time: nowMs - 60_000 }),
    web("unknown-name", { event_name: "WHEEL_SPUN" }),
    web("app-name", { event_name: "APP_OPEN" }),
    web("unknown-currency", {
      event_name: "PURCHASE",
      custom_data: { value: 1, currency: "ZZZ", order_id: "doctor-1", content_ids: ["1"] },
    }),
    offline("offline-without-url", { event_source_url: undefined }),
    web("unknown-key", { custom_data: { nobody_documents_this: "1" } }),
    web("unhashed", { user_data: { ...user, em: ["person@example.com"] } }),
    web("nobody", { user_data: { client_user_agent: "Mozilla/5.0" } }),
  ];
}
