import { isAbsent, toNumber } from "./values.ts";

/** A named function of mappings: pure, bounded, total. `undefined` means that there is no value. */
export type MappingFunction = (...values: unknown[]) => unknown;

/** The functions every workflow may `call`; plugins add to a copy of it. */
export const FUNCTIONS: Readonly<Record<string, MappingFunction>> = {
  /** Sum of price × quantity over the products that have a price; a product without a quantity is one. */
  basket_total: (products) =>
    total(products, (product) => (toNumber(product.price) ?? Number.NaN) * (toNumber(product.quantity) ?? 1), 10_000),
  /** Units of all products. */
  item_count: (products) => total(products, (product) => toNumber(product.quantity) ?? 1, 1),
  /** The list without repetitions. */
  unique(list) {
    if (!Array.isArray(list)) return list;
    // For the few entries lists have, looking back is cheaper than a set.
    return list.length > 16 ? [...new Set(list)] : list.filter((one, index) => list.indexOf(one) === index);
  },
  /** The first entry of a list. */
  head: (list) => (Array.isArray(list) ? list[0] : list),
};

type Product = Readonly<Record<string, unknown>>;

/** The sum of what the products amount to, in parts of a `unit` so that 0.1 + 0.2 is 0.3; none where nothing adds up. */
function total(products: unknown, amountOf: (product: Product) => number, unit: number): number | undefined {
  let sum: number | undefined;
  for (const product of Array.isArray(products) ? products : []) {
    if (isAbsent(product)) continue;
    const amount = amountOf(product as Product);
    if (!Number.isNaN(amount)) sum = (sum ?? 0) + amount;
  }
  return sum === undefined ? undefined : Math.round(sum * unit) / unit;
}
