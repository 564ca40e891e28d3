import { digest } from "./digest.ts";
import type { CanonicalEvent } from "./event.ts";
import { foldName } from "./fold.ts";
import { compilePath } from "./path.ts";
import { toText } from "./values.ts";

/** Where an event's id may come from. */
export interface EventIdOptions {
  /** Paths of the id in the canonical event, tried in order before everything else. */
  paths?: readonly string[];
  /** Paths of the order id, which is part of the digest. */
  orderId?: readonly string[];
  /** When the host received the event; stands in for a missing time in the digest. Milliseconds. */
  receivedAtMs?: number | undefined;
}

/** The paths an order id is looked for, in order, where a workflow names none. */
export const ORDER_ID_PATHS = ["properties.order_id", "properties.transaction_id", "properties.transaction_number"];

/** Longer ids are replaced by their digest; Snapchat documents no limit, this one is ours. */
const MAX_ID = 128;

/** An event's id and the place it came from: a path, `browser`, `source` or `digest`. */
export interface EventIdentity {
  id: string;
  from: string;
}

/**
 * The id of an event: one pure function for browser and server, so that both copies of a conversion carry the same id
 * and a retry never makes a new one (invariant 3).
 *
 * 1. the configured paths, in order;
 * 2. the id a browser minted and handed on: a pixel call already carries it;
 * 3. the source's own id;
 * 4. a digest of name, time, person, order id, products and segments.
 *
 * No clock, no attempt and no destination is part of it.
 *
 * @example
 * ```ts
 * import { eventId, sources } from "snapchat-destination/workflow";
 *
 * eventId(sources.segment.read({ type: "track", event: "Order Completed", messageId: "m-1" })); // "m-1"
 * ```
 */
export function eventId(event: CanonicalEvent, options: EventIdOptions = {}): string {
  return compileEventId(options.paths, options.orderId)(event, options.receivedAtMs).id;
}

/**
 * {@link eventId} with its paths compiled once, saying also where the id came from.
 */
export function compileEventId(
  paths: readonly string[] = [],
  orderIdPaths: readonly string[] = ORDER_ID_PATHS,
): (event: CanonicalEvent, receivedAtMs?: number) => EventIdentity {
  const own = paths.map((path) => ({ path, get: compilePath(path) }));
  const orderId = orderIdPaths.map(compilePath);
  return (event, receivedAtMs) => {
    for (const { path, get } of own) {
      const id = toText(get(event));
      if (id) return { id: bounded(id), from: path };
    }
    if (event.browserId) return { id: bounded(event.browserId), from: "browser" };
    if (event.id) return { id: bounded(event.id), from: "source" };
    const order = orderId.map((get) => toText(get(event))).find(Boolean);
    const products = event.products.slice(0, 20).map((product) => toText(product.id ?? product.sku));
    const segments = event.audiences.slice(0, 20).map(({ key, op }) => key + op);
    const facts = [
      event.source,
      foldName(event.name),
      event.timeMs ?? receivedAtMs,
      person(event),
      order,
      products,
      segments,
    ];
    return { id: digest(JSON.stringify(facts)), from: "digest" };
  };
}

function bounded(id: string): string {
  return id.length > MAX_ID ? digest(id) : id;
}

/** Whatever tells this person from others, the steadiest first. */
function person({ ids, traits, context }: CanonicalEvent): unknown {
  const external = Object.keys(ids.external)[0];
  return (
    ids.userId ??
    ids.anonymousId ??
    (external && ids.external[external]) ??
    toText(traits.email) ??
    toText(traits.phone) ??
    context.cookie1 ??
    context.device?.advertisingId ?? [context.ip, context.userAgent]
  );
}
