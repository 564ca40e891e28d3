import { foldName } from "../rules/fold.ts";
import type { Rule, Workflow } from "../rules/workflow.ts";
import { type Availability, channelAvailability } from "./availability.ts";
import { type ReasonWords, reasonWords } from "./reasons.ts";

/** What a destination has, as far as toggles depend on it. */
export interface DestinationState {
  /** The destination's master switch for server events. */
  serverSide: boolean;
  pixel: boolean;
  mobileApp: boolean;
  adAccount: boolean;
  conversionsToken: boolean;
  /** The login with Snapchat, where there is one. */
  login?: "connected" | "reauth_required" | "disconnected";
}

/** What is known of an event's name beside the workflow: names and counts, never contents. */
export interface SeenEvent {
  name: string;
  count?: number;
  /** Milliseconds since 1970. */
  lastSeenMs?: number;
}

/** What the rows of the event screen are made of. */
export interface EventListInput {
  workflow: Workflow;
  state: DestinationState;
  /** Names the tenant's events had lately. */
  seen?: readonly SeenEvent[];
  /** The tenant's own event names, from the `catalogue` hook. */
  catalogue?: readonly string[];
  /** Rule id → when an event of it was last delivered. Milliseconds since 1970. */
  lastDeliveredMs?: Readonly<Record<string, number>>;
}

/** One toggle of a row. */
export interface EventToggle {
  on: boolean;
  available: boolean;
  /** Why it is not available, or is on and still sends nothing. */
  reason?: string;
  words?: ReasonWords;
}

/** One row of the event screen. */
export interface EventRow {
  /** The event's name as the marketer knows it. */
  event: string;
  label: string;
  /** Id of the rule; absent where no rule uses the event. */
  rule?: string;
  /** Snap event or segment target; absent where no rule uses the event. */
  target?: string;
  /** `workflow`: a rule; `seen`: the tenant's events had it; `catalogue`: the host's catalogue names it. */
  origin: "workflow" | "seen" | "catalogue";
  server: EventToggle;
  client: EventToggle;
  seen?: number;
  lastSeenMs?: number;
  lastDeliveredMs?: number;
}

/** More unmapped names than this are not shown: an attacker can send any number. */
const MAX_UNMAPPED = 200;

/**
 * The rows of the event screen: every rule, then the tenant's events no rule uses, each with its two toggles, what can
 * be switched and why not.
 *
 * @example
 * ```ts
 * import { eventList, presets } from "snapchat-destination/workflow";
 *
 * const rows = eventList({
 *   workflow: presets.segment({ defaultCountry: "GB" }),
 *   state: { serverSide: true, pixel: true, mobileApp: false, adAccount: true, conversionsToken: true },
 *   seen: [{ name: "Order Completed", count: 12 }],
 * });
 * ```
 */
export function eventList(input: EventListInput): EventRow[] {
  const { workflow, state } = input;
  const seen = new Map((input.seen ?? []).map((event) => [foldName(event.name), event]));
  const aliases = Object.entries(workflow.aliases ?? {}).map(([own, name]) => [foldName(own), foldName(name)] as const);
  const rows = workflow.rules.map((rule): EventRow => {
    const name = foldName(rule.on);
    const names = [name, ...aliases.filter(([, to]) => to === name).map(([own]) => own)];
    const found = names.flatMap((one) => seen.get(one) ?? []);
    return {
      event: rule.on,
      label: rule.label ?? rule.on,
      rule: rule.id,
      target: rule.to,
      origin: "workflow",
      ...togglesOf(rule, state),
      ...sums(found),
      ...optional("lastDeliveredMs", input.lastDeliveredMs?.[rule.id]),
    };
  });
  const used = new Set([...workflow.rules.map((rule) => foldName(rule.on)), ...aliases.map(([own]) => own)]);
  const others = [
    ...(input.seen ?? []).map((event) => ({ ...event, origin: "seen" as const })),
    ...(input.catalogue ?? []).map((name) => ({ name, origin: "catalogue" as const })),
  ];
  for (const event of others) {
    const name = foldName(event.name);
    if (used.has(name) || rows.length >= workflow.rules.length + MAX_UNMAPPED) continue;
    used.add(name);
    const off = { on: false, available: false, reason: "not_in_workflow", words: reasonWords("not_in_workflow") };
    const known = seen.get(name);
    rows.push({
      event: event.name,
      label: event.name,
      origin: event.origin,
      server: off,
      client: off,
      ...sums(known ? [known] : []),
    });
  }
  return rows;
}

function togglesOf(rule: Rule, state: DestinationState): Pick<EventRow, "server" | "client"> {
  const own = channelAvailability(rule);
  return {
    server: toggle(rule.server, own.server.available ? serverReason(rule, own.client, state) : own.server.reason),
    client: toggle(rule.client, own.client.available ? (state.pixel ? undefined : "pixel_missing") : own.client.reason),
  };
}

/** Why the server cannot send this rule's events for this destination. */
function serverReason(rule: Rule, client: Availability, state: DestinationState): string | undefined {
  const login = state.login === "connected";
  const ended = state.login === "reauth_required";
  if (rule.to.startsWith("segment:")) {
    if (!state.adAccount) return "ad_account_missing";
    return login ? undefined : ended ? "reauthorize" : "login_missing";
  }
  if (!state.serverSide) return "server_side_off";
  if (client.reason === "server_only_app") {
    if (!state.mobileApp) return "mobile_app_missing";
  } else if (!state.pixel) return "pixel_missing";
  if (state.conversionsToken || login) return undefined;
  return ended ? "reauthorize" : "credential_missing";
}

function toggle(on: boolean, reason: string | undefined): EventToggle {
  return reason === undefined ? { on, available: true } : { on, available: false, reason, words: reasonWords(reason) };
}

function sums(events: readonly SeenEvent[]): { seen?: number; lastSeenMs?: number } {
  const counts = events.flatMap((event) => event.count ?? []);
  const times = events.flatMap((event) => event.lastSeenMs ?? []);
  return {
    ...(counts.length ? { seen: counts.reduce((a, b) => a + b) } : {}),
    ...(times.length ? { lastSeenMs: Math.max(...times) } : {}),
  };
}

function optional<K extends string>(key: K, value: number | undefined): { [P in K]?: number } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: number });
}
