import { isAbsent, toNumber, toText } from "./values.ts";

/** A named function of mappings: pure, bounded, total. `undefined` means that there is no value. */
export type MappingFunction = (...values: unknown[]) => unknown;

type Items = { price?: unknown; quantity?: unknown }[];

const items = (list: unknown): Items =>
  Array.isArray(list) ? list.filter((one) => typeof one === "object" && one) : [];

/** Money is added in ten-thousandths, so that 0.1 + 0.2 is 0.3. */
const cents = (amount: number) => Math.round(amount * 10_000) / 10_000;

/** The functions every workflow may `call`; plugins add to a copy of it. */
export const FUNCTIONS: Readonly<Record<string, MappingFunction>> = {
  /** Sum of price × quantity over the products that have a price. */
  basket_total: (products) => {
    let sum: number | undefined;
    for (const { price, quantity } of items(products)) {
      const amount = toNumber(price);
      if (amount !== undefined) sum = (sum ?? 0) + amount * (toNumber(quantity) ?? 1);
    }
    return sum === undefined ? undefined : cents(sum);
  },
  /** Units of all products; a product without a quantity is one. */
  item_count: (products) => {
    let sum = 0;
    for (const { quantity } of items(products)) sum += toNumber(quantity) ?? 1;
    return sum > 0 ? Math.round(sum) : undefined;
  },
  /** The list without repetitions. */
  unique: (list) => (Array.isArray(list) ? [...new Set(list)] : list),
  /** The entries as one text. */
  join: (list, separator = ",") =>
    Array.isArray(list)
      ? list
          .map(toText)
          .filter((one) => !isAbsent(one))
          .join(toText(separator))
      : toText(list),
  /** The first entry of a list. */
  head: (list) => (Array.isArray(list) ? list[0] : list),
};
