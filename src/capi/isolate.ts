import { type InvalidVerdict, positionsOf, type Verdict } from "./answer.ts";
import type { EventOutcome } from "./outcome.ts";

/** One event's JSON text on its way, with the place of its outcome. */
export interface Item {
  json: string;
  index: number;
}

export interface Delivery {
  /** One request with these events, retries and slots included. */
  post(items: readonly Item[], purpose: "events" | "validate", extra: boolean): Promise<Verdict>;
  settle(items: readonly Item[], outcome: EventOutcome): void;
  /** Requests that may still be spent on finding bad events. */
  budget: number;
}

/**
 * Delivers one batch, whatever is in it: where Snapchat refuses the whole because of one event, the good ones still
 * get through and the bad one carries Snapchat's words. The cheapest way first: the event the answer names, else one
 * validate call that names them all, else halving.
 *
 * @returns the outcome that stopped it, where it makes no sense to send more: token, rate or network.
 */
export async function deliver(
  items: readonly Item[],
  delivery: Delivery,
  extra = false,
): Promise<EventOutcome | undefined> {
  const verdict = await delivery.post(items, "events", extra);
  if (!refused(verdict)) return settleWhole(items, verdict, delivery);
  return isolate(items, verdict, delivery);
}

type Refusal = InvalidVerdict | (Verdict & { kind: "too_large" });

function refused(verdict: Verdict): verdict is Refusal {
  return verdict.kind === "invalid" || verdict.kind === "too_large";
}

async function isolate(
  items: readonly Item[],
  verdict: Refusal,
  delivery: Delivery,
): Promise<EventOutcome | undefined> {
  if (items.length === 1) return reject(items, verdict, delivery);
  if (verdict.kind === "too_large") return halve(items, verdict, delivery);

  if (verdict.named.length > 0) {
    const step = await withoutNamed(items, verdict, delivery);
    if (step !== "unsolved") return step.stopped;
  }
  const named = await spend(items, "validate", delivery);
  if (named.kind === "invalid" && named.named.length > 0) {
    const step = await withoutNamed(items, named, delivery);
    if (step !== "unsolved") return step.stopped;
  } else if (named.kind === "retry" && named.code !== "unreadable_answer" && !named.code.startsWith("http_4")) {
    // Validate is out of reach, so more requests would be too. Nothing of this batch was taken.
    return settleWhole(items, { ...named, known: true }, delivery);
  }
  return halve(items, verdict, delivery);
}

/**
 * Sends all but the named events. Only when that passes are the named ones known to be the bad ones: nobody says
 * whether Snapchat counts from 0 or 1, and a good event must not be thrown away for that.
 */
async function withoutNamed(
  items: readonly Item[],
  verdict: InvalidVerdict,
  delivery: Delivery,
): Promise<"unsolved" | { stopped: EventOutcome | undefined }> {
  const positions = positionsOf(verdict, items.length);
  if (positions.size === 0) return "unsolved";
  const good = items.filter((_, position) => !positions.has(position));
  let stopped: EventOutcome | undefined;
  let proven = verdict.complete || verdict.named.length >= items.length;
  if (good.length > 0) {
    const again = await spend(good, "events", delivery);
    if (refused(again)) {
      if (!proven) return "unsolved";
      // Validate passed these one by one, yet together they are refused: look closer at them alone.
      stopped = await halve(good, again, delivery);
    } else {
      stopped = settleWhole(good, again, delivery);
      proven ||= stopped === undefined;
    }
  }
  for (const [position, event] of positions) {
    const item = items[position];
    if (item === undefined) continue;
    if (!proven && stopped !== undefined) {
      delivery.settle([item], { ...stopped, known: true });
      continue;
    }
    const words = { message: event.message || verdict.message, code: event.code || verdict.code };
    delivery.settle([item], outcomeOf({ ...verdict, ...words, kind: event.aboutToken ?? "invalid" } as Verdict));
  }
  return { stopped };
}

/** Finds the bad events by halving: a half that passes is delivered and leaves the fault in the other. */
async function halve(items: readonly Item[], verdict: Refusal, delivery: Delivery): Promise<EventOutcome | undefined> {
  if (items.length === 1) return reject(items, verdict, delivery);
  const middle = items.length >> 1;
  const [first, second] = [items.slice(0, middle), items.slice(middle)];
  const left = await spend(first, "events", delivery);
  const stopped = refused(left) ? await halve(first, left, delivery) : settleWhole(first, left, delivery);
  if (stopped !== undefined) {
    delivery.settle(second, { ...stopped, known: true });
    return stopped;
  }
  // Refused together, the first half fine: the fault is in the second, no need to ask. Size is another matter.
  if (left.kind === "valid" && verdict.kind === "invalid") return halve(second, verdict, delivery);
  const right = await spend(second, "events", delivery);
  return refused(right) ? halve(second, right, delivery) : settleWhole(second, right, delivery);
}

async function spend(items: readonly Item[], purpose: "events" | "validate", delivery: Delivery): Promise<Verdict> {
  if (delivery.budget <= 0) {
    return {
      kind: "retry",
      known: true,
      code: "isolation_budget_spent",
      message: "Too many requests were needed to find the bad events of one batch.",
    };
  }
  delivery.budget--;
  return delivery.post(items, purpose, true);
}

function reject(items: readonly Item[], verdict: Refusal, delivery: Delivery): undefined {
  delivery.settle(items, outcomeOf(verdict));
}

function settleWhole(items: readonly Item[], verdict: Verdict, delivery: Delivery): EventOutcome | undefined {
  const outcome = outcomeOf(verdict);
  delivery.settle(items, outcome);
  return outcome.status === "delivered" || outcome.status === "rejected" ? undefined : outcome;
}

/** The outcome of every event of a request that was answered so. */
export function outcomeOf(verdict: Verdict): EventOutcome {
  const id = verdict.requestId === undefined ? {} : { requestId: verdict.requestId };
  switch (verdict.kind) {
    case "valid":
      return { status: "delivered", known: true, ...id };
    case "invalid":
    case "too_large":
      return { status: "rejected", known: true, message: verdict.message, code: verdict.code, ...id };
    case "unauthorized":
    case "forbidden":
      return { status: verdict.kind, known: true, message: verdict.message, code: verdict.code, ...id };
    case "retry": {
      const wait = verdict.retryAfterMs === undefined ? {} : { retryAfterMs: verdict.retryAfterMs };
      return { status: "retry", known: verdict.known, message: verdict.message, code: verdict.code, ...wait, ...id };
    }
  }
}
