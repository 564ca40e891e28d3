import { type Clock, systemClock } from "../clock.ts";
import { SnapchatError } from "../errors.ts";
import { createHttpClient, type HttpClient, type HttpResponse } from "../http/index.ts";
import { SNAPCHAT_ENDPOINTS } from "../wire/endpoints.ts";
import { LIMITS } from "../wire/limits.ts";
import type { SnapEvent } from "../wire/snap-event.ts";
import { batchesOf, bodyOf, byteLength } from "./batches.ts";
import { type Call, startCall } from "./call.ts";
import type {
  ConversionsClientOptions,
  PreparedText,
  SendOptions,
  SendPreparedOptions,
  SendPreparedResult,
  SendResult,
} from "./client-options.ts";
import { type Delivery, deliver, type Item } from "./isolate.ts";
import { type EventLogEntry, type EventStats, readLogs, readStats } from "./logs.ts";
import type { Prepared } from "./options.ts";
import type { EventOutcome } from "./outcome.ts";
import { prepareEvent } from "./prepare.ts";
import { type Channel, exchange, type Token } from "./transport.ts";
import { readValidation, type Validation } from "./validation.ts";

/**
 * Client of the Conversions API v3: sends, validates, and reads what Snapchat saw.
 *
 * One bad event costs only itself: the others of its batch are delivered, and it carries Snapchat's words.
 * What the network or Snapchat does becomes outcomes, never exceptions.
 *
 * @example
 * ```ts
 * import { ConversionsClient } from "snapchat-destination/capi";
 *
 * const conversions = new ConversionsClient({ prepare: { integration: "my-cdp", defaultCountry: "GB" } });
 * const { outcomes } = await conversions.send(
 *   "11111111-2222-4333-8444-555555555555",
 *   [
 *     {
 *       event_name: "PURCHASE",
 *       event_time: new Date(),
 *       event_id: "order-10442",
 *       action_source: "WEB",
 *       event_source_url: "https://shop.example/thanks",
 *       user_data: { em: "jane@example.com" },
 *       custom_data: { value: 64.5, currency: "GBP" },
 *     },
 *   ],
 *   { token: process.env.SNAPCHAT_CONVERSIONS_TOKEN ?? "" },
 * );
 * console.log(outcomes[0]?.status);
 * ```
 */
export class ConversionsClient {
  readonly #options: ConversionsClientOptions;
  readonly #http: HttpClient;
  readonly #origin: string;
  readonly #clock: Clock;

  constructor(options: ConversionsClientOptions = {}) {
    this.#options = options;
    this.#origin = options.endpoints?.conversions ?? SNAPCHAT_ENDPOINTS.conversions;
    this.#clock = options.clock ?? systemClock;
    this.#http =
      options.http ??
      createHttpClient({
        origins: [this.#origin],
        fetch: options.fetch,
        ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
        ...(options.userAgent === undefined ? {} : { userAgent: options.userAgent }),
      });
  }

  /**
   * Sends events to one asset: a pixel for web and offline events, a Snap App ID for app events. Raw events are
   * validated, repaired and hashed first; prepared ones (`prepareEvent`) go as they are. Splits by 2,000 events and
   * by bytes; tries again twice where nothing is known to be wrong.
   *
   * @returns one outcome per event, in order.
   * @throws {SnapchatError} `token_missing`, `asset_id_invalid` (fix_configuration). Nothing else.
   */
  send(
    assetId: string,
    events: readonly SnapEvent[] | readonly (PreparedText | Prepared)[],
    options: SendOptions,
  ): Call<SendResult> {
    return startCall(async (seen) => {
      const outcomes: EventOutcome[] = new Array(events.length);
      const ready: { json: string; eventId: string | undefined; at: number }[] = [];
      for (const [at, event] of events.entries()) {
        const prepared = this.#prepared(event);
        if ("ok" in prepared && !prepared.ok) outcomes[at] = rejectedHere(prepared);
        else ready.push({ json: prepared.json, eventId: prepared.eventId, at });
      }
      const result = await this.#sendItems(assetId, ready, { maxRetries: 2, ...options }, seen);
      for (const [i, item] of ready.entries()) outcomes[item.at] = result.outcomes[i] as EventOutcome;
      return { outcomes, requests: result.requests.length };
    });
  }

  /**
   * Sends texts made by `prepareEvent`, as a queue does: no retries unless asked for, and a record of every request.
   * With `validateOnly` Snapchat judges and counts nothing; `delivered` then means VALID.
   *
   * @throws {SnapchatError} `token_missing`, `asset_id_invalid` (fix_configuration). Nothing else.
   */
  sendPrepared(
    assetId: string,
    items: readonly PreparedText[],
    options: SendPreparedOptions,
  ): Call<SendPreparedResult> {
    return startCall((seen) => this.#sendItems(assetId, items, options, seen));
  }

  /**
   * Asks Snapchat to judge events without counting them (Conversions-API/VerifySetUp).
   *
   * @returns per event our own issues and Snapchat's verdict.
   * @throws {SnapchatError} where no verdict came: `token_refused`, `asset_forbidden`, `rate_limited`,
   * `snapchat_unavailable`.
   */
  validate(
    assetId: string,
    events: readonly SnapEvent[] | readonly (PreparedText | Prepared)[],
    options: SendOptions,
  ): Call<Validation[]> {
    return startCall(async (seen) => {
      const prepared = Array.from(events, (event: SnapEvent | PreparedText | Prepared) => this.#prepared(event));
      const channel = this.#channel(assetId, { maxRetries: 2, ...options }, seen);
      const items = prepared.flatMap((one, index) => ("ok" in one && !one.ok ? [] : [{ json: one.json, index }]));
      const verdicts = new Map<number, Validation["snapchat"]>();
      for (const batch of this.#batches(items)) {
        const exchanged = await exchange(channel, {
          method: "POST",
          path: "events/validate",
          purpose: "validate",
          body: bodyOf(batch, options.testEventCode),
          items: batch.length,
          extra: false,
        });
        const read = readValidation(exchanged, batch.length, assetId);
        for (const [i, item] of batch.entries()) verdicts.set(item.index, read[i]);
      }
      return prepared.map((one, index) => ({
        issues: "issues" in one ? one.issues : [],
        sent: verdicts.has(index),
        snapchat: verdicts.get(index),
      }));
    });
  }

  /**
   * The events Snapchat logged for an asset in the last 24 hours (`events/validate/logs`).
   *
   * @throws {SnapchatError} `token_refused`, `asset_forbidden`, `rate_limited`, `snapchat_unavailable`.
   */
  logs(assetId: string, options: Omit<SendOptions, "testEventCode">): Call<EventLogEntry[]> {
    return startCall(async (seen) => {
      const channel = this.#channel(assetId, { maxRetries: 2, ...options }, seen);
      const exchanged = await exchange(channel, {
        method: "GET",
        path: "events/validate/logs",
        purpose: "logs",
        items: 0,
        extra: false,
      });
      return readLogs(exchanged, assetId);
    });
  }

  /**
   * How many events Snapchat counted for an asset in the past hour and when the last one came
   * (`events/validate/stats`).
   *
   * @throws {SnapchatError} `token_refused`, `asset_forbidden`, `rate_limited`, `snapchat_unavailable`.
   */
  stats(assetId: string, options: Omit<SendOptions, "testEventCode">): Call<EventStats> {
    return startCall(async (seen) => {
      const channel = this.#channel(assetId, { maxRetries: 2, ...options }, seen);
      const exchanged = await exchange(channel, {
        method: "GET",
        path: "events/validate/stats",
        purpose: "stats",
        items: 0,
        extra: false,
      });
      return readStats(exchanged);
    });
  }

  #prepared(event: SnapEvent | PreparedText | Prepared): PreparedText | Prepared {
    if (typeof event === "object" && event !== null && ("json" in event || "ok" in event)) return event;
    return prepareEvent(event, { ...this.#options.prepare, nowMs: this.#clock.now() });
  }

  async #sendItems(
    assetId: string,
    texts: readonly PreparedText[],
    options: SendPreparedOptions,
    seen: (response: HttpResponse) => void,
  ): Promise<SendPreparedResult> {
    const channel = this.#channel(assetId, options, seen);
    const outcomes: EventOutcome[] = new Array(texts.length);
    const settle = (items: readonly Item[], outcome: EventOutcome) => {
      for (const { index } of items) {
        const eventId = texts[index]?.eventId;
        outcomes[index] = eventId === undefined ? outcome : { ...outcome, eventId };
      }
    };
    const validateOnly = options.validateOnly === true;
    const delivery: Delivery = {
      budget: 0,
      settle,
      post: async (items, purpose, extra) => {
        const validate = validateOnly || purpose === "validate";
        const request = {
          method: "POST",
          path: validate ? "events/validate" : "events",
          purpose: validate ? "validate" : "events",
          body: bodyOf(items, options.testEventCode),
          items: items.length,
          extra,
        } as const;
        return (await exchange(channel, request)).verdict;
      },
    };
    const maxBytes = this.#options.bytesPerRequest ?? LIMITS.bytesPerRequest;
    const fitting: Item[] = [];
    for (const [index, { json }] of texts.entries()) {
      if (json.length * 3 + 512 > maxBytes && byteLength(json) + 512 > maxBytes) settle([{ json, index }], TOO_LARGE);
      else fitting.push({ json, index });
    }
    let stopped: EventOutcome | undefined;
    for (const batch of this.#batches(fitting)) {
      delivery.budget = this.#options.isolationRequests ?? 100;
      if (stopped === undefined) {
        const outcome = await deliver(batch, delivery);
        // A batch with too many bad events says nothing about the next one.
        if (outcome?.code !== "isolation_budget_spent") stopped = outcome;
      } else settle(batch, { ...stopped, known: true });
    }
    return { outcomes, requests: channel.records };
  }

  #batches(items: readonly Item[]): Item[][] {
    const maxEvents = Math.min(this.#options.eventsPerRequest ?? LIMITS.eventsPerRequest, LIMITS.eventsPerRequest);
    return batchesOf(items, maxEvents, this.#options.bytesPerRequest ?? LIMITS.bytesPerRequest);
  }

  #channel(assetId: string, options: SendOptions, seen: (response: HttpResponse) => void): Channel {
    const tokens = (Array.isArray(options.token) ? options.token : [options.token]) as readonly Token[];
    if (tokens.length === 0 || tokens.some((token) => token === undefined || token === "")) throw tokenMissing();
    const asset = typeof assetId === "string" ? assetId.trim() : "";
    if (!/^[\w.:-]{1,200}$/.test(asset)) throw assetIdInvalid();
    return {
      http: this.#http,
      origin: this.#origin,
      assetId: asset,
      tokens,
      clock: this.#clock,
      random: this.#options.random ?? Math.random,
      options: { ...options, timeoutMs: options.timeoutMs ?? this.#options.timeoutMs },
      beforeRequest: options.beforeRequest,
      seen,
      records: [],
      credential: 0,
    };
  }
}

const TOO_LARGE: EventOutcome = {
  status: "rejected",
  known: true,
  code: "event_too_large",
  message: "The event alone is larger than a request may be.",
};

function rejectedHere(refused: { reason: string; issues: { code: string; message: string }[] }): EventOutcome {
  const message = refused.issues.find((issue) => issue.code === refused.reason)?.message;
  return { status: "rejected", known: true, code: refused.reason, ...(message === undefined ? {} : { message }) };
}

function tokenMissing(): SnapchatError {
  return new SnapchatError({
    code: "token_missing",
    kind: "fix_configuration",
    message: "A call to the Conversions API has no token.",
    fix: "Pass a Conversions API token, or an OAuth access token with the conversions scope.",
  });
}

function assetIdInvalid(): SnapchatError {
  return new SnapchatError({
    code: "asset_id_invalid",
    kind: "fix_configuration",
    message: "The asset id is empty or has characters no pixel or app id has.",
    fix: "Pass the id of the Snap Pixel, or the Snap App ID for app events.",
  });
}
