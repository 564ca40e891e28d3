import type { CanonicalEvent, EventKind, Source } from "../../rules/event.ts";
import { isAbsent, toNumber } from "../../rules/values.ts";
import { WORKFLOW_LIMITS } from "../../rules/workflow.ts";
import { asObject, asText, type Bag, notice } from "./read.ts";

/** An event with nothing in it. */
export function emptyEvent(source: string): CanonicalEvent {
  return {
    source,
    name: "",
    kind: "other",
    ids: { external: {} },
    traits: {},
    properties: {},
    products: [],
    context: {},
    audiences: [],
    issues: [],
  };
}

/** Makes a reader total: what it throws becomes an event without a name and an issue that says so. */
export function totalSource(name: string, read: (event: Bag) => CanonicalEvent): Source {
  return {
    name,
    read(input) {
      if (typeof input === "object" && input !== null && !Array.isArray(input)) {
        try {
          return read(input as Bag);
        } catch {
          // A getter or proxy of the host threw; the event is told apart from a crash below.
        }
      }
      const event = emptyEvent(name);
      event.issues.push(
        notice(
          "",
          "event_unreadable",
          "The event is not an object that can be read.",
          "Pass the event as a plain object.",
        ),
      );
      return event;
    },
  };
}

/** What a host's own reader returns: the parts of a canonical event it knows. */
export type SourceFields = Partial<Omit<CanonicalEvent, "source" | "ids">> & {
  name: string;
  ids?: Partial<CanonicalEvent["ids"]>;
};

/**
 * A source for a platform's own envelope. `read` returns the parts of a canonical event it knows; the rest is filled
 * in, and whatever it throws becomes an event without a name, which is rejected with a reason.
 *
 * @example
 * ```ts
 * import { defineSource } from "snapchat-destination/workflow";
 *
 * export const acme = defineSource({
 *   name: "acme",
 *   read: (event: { what: string; at: string; who?: { mail?: string }; total?: number }) => ({
 *     name: event.what,
 *     timeMs: Date.parse(event.at),
 *     traits: { email: event.who?.mail },
 *     properties: { value: event.total },
 *   }),
 * });
 * ```
 */
export function defineSource<T = unknown>(definition: { name: string; read(event: T): SourceFields }): Source {
  return totalSource(definition.name, (input) => {
    const fields = asObject(definition.read(input as T)) as unknown as SourceFields;
    const event = emptyEvent(definition.name);
    const time = (value: unknown) => (typeof value === "number" && Number.isFinite(value) ? value : undefined);
    event.name = asText(fields.name) ?? "";
    event.kind = KINDS.includes(fields.kind as EventKind) ? (fields.kind as EventKind) : "track";
    const [id, browserId, timeMs, carriedTimeMs] = [
      asText(fields.id),
      asText(fields.browserId),
      time(fields.timeMs),
      time(fields.carriedTimeMs),
    ];
    if (id !== undefined) event.id = id;
    if (browserId !== undefined) event.browserId = browserId;
    if (timeMs !== undefined) event.timeMs = timeMs;
    if (carriedTimeMs !== undefined) event.carriedTimeMs = carriedTimeMs;
    event.ids = { ...asObject(fields.ids), external: { ...asObject(fields.ids?.external) } as Record<string, string> };
    event.traits = { ...asObject(fields.traits) };
    event.properties = { ...asObject(fields.properties) };
    event.products = readProducts(fields.products, event);
    event.context = { ...asObject(fields.context) };
    if (fields.consent !== undefined) event.consent = { ...asObject(fields.consent) } as Record<string, boolean>;
    if (Array.isArray(fields.audiences)) event.audiences = fields.audiences.filter(isChange).slice(0, MAX_CHANGES);
    if (Array.isArray(fields.issues)) event.issues = [...fields.issues];
    return event;
  });
}

const KINDS: readonly EventKind[] = ["track", "page", "screen", "identify", "group", "audience", "other"];

/** Members one event may carry; a longer list says so in an issue. */
export const MAX_CHANGES = 10_000;

function isChange(change: unknown): boolean {
  const { key, op } = asObject(change);
  return typeof key === "string" && (op === "add" || op === "remove");
}

/** How a source writes products. */
export interface ProductFormat {
  /** Takes the source's wrapping off a value. */
  unwrap?: (value: unknown) => unknown;
  /** The canonical key of a property; see {@link canonicalProductKey}. */
  key?: (key: string) => string;
}

/** The products of an event under canonical keys, prices and quantities as numbers, ids as text. */
export function readProducts(
  list: unknown,
  event: CanonicalEvent,
  format: ProductFormat = {},
): CanonicalEvent["products"] {
  const entries = Array.isArray(list) ? list : typeof list === "object" && list !== null ? [list] : [];
  if (entries.length > WORKFLOW_LIMITS.items) {
    const message = `Only the first ${WORKFLOW_LIMITS.items} products are read.`;
    event.issues.push(notice("products", "too_many_products", message, "Split the event."));
  }
  const products: CanonicalEvent["products"] = [];
  for (let index = 0; index < Math.min(entries.length, WORKFLOW_LIMITS.items); index++) {
    const entry = format.unwrap ? format.unwrap(entries[index]) : entries[index];
    if (typeof entry === "object" && entry !== null) products.push(readProduct(entry as Bag, format));
  }
  return products;
}

/** One product; see {@link readProducts}. */
export function readProduct(product: Bag, format: ProductFormat = {}): CanonicalEvent["products"][number] {
  const out: CanonicalEvent["products"][number] = {};
  for (const key of Object.keys(product)) {
    const raw = format.unwrap ? format.unwrap(product[key]) : product[key];
    const name = format.key ? format.key(key) : canonicalProductKey(key);
    if (isAbsent(raw) || name === "" || out[name] !== undefined) continue;
    const read = READERS.get(name);
    const value = read === undefined ? raw : read(raw);
    if (value !== undefined) out[name] = value;
  }
  return out;
}

/** How the keys are read that are not taken as they are. */
const READERS = new Map<string, (value: unknown) => unknown>([
  ["price", toNumber],
  ["quantity", toNumber],
  ["id", asText],
  ["sku", asText],
  ["variant_id", asText],
]);

/** Canonical names of product keys after a source's prefix is off; everything else keeps its own. */
const PRODUCT_KEYS = new Map([
  ["product_id", "id"],
  ["productId", "id"],
  ["item_id", "id"],
  ["variantId", "variant_id"],
  ["title", "name"],
  ["imageURL", "image_url"],
  // Assigned as a key it would change the product's prototype.
  ["__proto__", ""],
]);

/** The canonical key of a product's property; empty for the one key that is no data. */
export function canonicalProductKey(key: string): string {
  return PRODUCT_KEYS.get(key) ?? key;
}
