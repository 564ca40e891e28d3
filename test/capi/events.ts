import type { PreparedEvent, PrepareOptions } from "../../src/capi/index.ts";
import { prepareEvent } from "../../src/capi/index.ts";
import type { SnapEventInput } from "../../src/wire/event.ts";

export const NOW_MS = Date.parse("2026-11-20T12:00:00Z");
export const NOW_S = NOW_MS / 1_000;

export const OPTIONS: PrepareOptions = { nowMs: NOW_MS, defaultCountry: "GB", integration: "example-cdp" };

/** A web purchase that is right in every part. */
export function purchase(change: Partial<Record<keyof SnapEventInput, unknown>> = {}): SnapEventInput {
  return {
    event_name: "PURCHASE",
    event_time: NOW_S - 60,
    event_id: "order-10442",
    action_source: "WEB",
    event_source_url: "https://shop.example/thanks",
    user_data: { em: "jane@example.com" },
    custom_data: { value: 64.5, currency: "GBP", order_id: "SO-10442" },
    ...change,
  } as SnapEventInput;
}

export function appOpen(change: Partial<Record<keyof SnapEventInput, unknown>> = {}): SnapEventInput {
  return {
    event_name: "APP_OPEN",
    event_time: NOW_S - 60,
    event_id: "open-1",
    action_source: "MOBILE_APP",
    user_data: { madid: "38400000-8CF0-11BD-B23E-10B96E40000D" },
    app_data: {
      app_id: "net.example.game",
      advertiser_tracking_enabled: 1,
      extinfo: { platform: "android", osVersion: "15" },
    },
    ...change,
  } as SnapEventInput;
}

export interface SentEvent {
  event_name: string;
  event_time: number;
  event_id?: string;
  action_source: string;
  event_source_url?: string;
  user_data: Record<string, unknown>;
  custom_data: Record<string, unknown>;
  app_data: Record<string, unknown>;
  data_processing_options?: string[];
  integration?: string;
  test_event_code?: string;
}

/** The event that would be sent. Throws where it is refused. */
export function sent(event: unknown, options: Partial<PrepareOptions> = {}): SentEvent {
  return JSON.parse(accepted(event, options).json) as SentEvent;
}

export function accepted(event: unknown, options: Partial<PrepareOptions> = {}): PreparedEvent {
  const prepared = prepareEvent(event as SnapEventInput, { ...OPTIONS, ...options });
  if (!prepared.ok) throw new Error(`refused: ${prepared.reason}`);
  return prepared;
}

/** Why the event is refused, or `undefined`. */
export function refusal(event: unknown, options: Partial<PrepareOptions> = {}): string | undefined {
  const prepared = prepareEvent(event as SnapEventInput, { ...OPTIONS, ...options });
  return prepared.ok ? undefined : prepared.reason;
}

/** `path code` of each issue. */
export function findings(event: unknown, options: Partial<PrepareOptions> = {}): string[] {
  return prepareEvent(event as SnapEventInput, { ...OPTIONS, ...options }).issues.map(
    ({ path, code }) => `${path} ${code}`,
  );
}
