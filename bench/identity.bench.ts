import { hash as cryptoHash } from "node:crypto";
import { parsePhoneNumberFromString } from "libphonenumber-js/min";
import { hash, hashedMember, normalize, normalizeList } from "../src/identity/index.ts";
import { atLeast, type Bench, perSecond, type Row } from "./row.ts";

/** Nine identifiers as a shop's checkout knows them, different for every person. */
const people = Array.from({ length: 1_000 }, (_, n) => ({
  em: `First.Last${n}@Example.com`,
  ph: `+44 7911 ${String(100_000 + n)}`,
  fn: n % 5 === 0 ? "Zoë" : "Mary Ann",
  ln: "O'Brien",
  ge: "Female",
  ct: "San Francisco",
  st: "California",
  zp: "94043-1351",
  country: "US",
}));
type Field = keyof (typeof people)[number];
const fields = Object.keys(people[0] ?? {}) as Field[];

/** How fast each way of writing a phone is read; what is read by tables and what by libphonenumber-js. */
const kinds: readonly [kind: string, write: (n: number) => string, defaultCountry?: string][] = [
  ["E.164", (n) => `+447911${100_000 + n}`],
  ["with separators", (n) => `+44 7911 ${100_000 + n}`],
  ["00 in front", (n) => `00447911${100_000 + n}`],
  ["digits alone", (n) => `447911${100_000 + n}`],
  ["national, default country", (n) => `07911 ${100_000 + n}`, "GB"],
  ["trunk zero in brackets", (n) => `+44 (0)7911 ${100_000 + n}`],
  ["trunk zero, bare", (n) => `+4407911${100_000 + n}`],
  ["Italian zero", (n) => `+39 06 6982 ${1_000 + n}`],
  ["extension", (n) => `+44 7911 ${100_000 + n} ext. 7`],
  ["Arabic digits", (n) => `+٤٤ ٧٩١١ ${100_000 + n}`],
  ["not a number", (n) => `+44 79 ${n % 10}`],
];

/** Normalising and hashing against hashing alone, phones by kind, and what an import costs. */
export const rows: Bench = async ({ smoke }) => {
  const ms = smoke ? 20 : 1_000;
  return [...(await hashing(ms)), ...(await phones(ms))];
};

async function hashing(ms: number): Promise<Row[]> {
  const canonical = people.map((person) => fields.map((field) => normalize(field, person[field]) ?? ""));
  const [nine, alone] = await sideBySide(
    people.length,
    ms,
    () => {
      for (const person of people) for (const field of fields) hash(field, person[field]);
    },
    () => {
      for (const texts of canonical) for (const text of texts) cryptoHash("sha256", text, "hex");
    },
  );
  const lists: Row[] = [];
  for (const [name, kind, values] of [
    ["e-mails", "email", people.map((person) => person.em)],
    ["phones", "phone", people.map((person) => `+${(normalize("ph", person.ph) ?? "").padStart(12, "0")}`)],
  ] as const) {
    const texts = normalizeList(kind === "email" ? "em" : "ph", values).values;
    const [value, limit] = await sideBySide(
      values.length,
      ms,
      () => {
        for (const text of values) hashedMember(kind, text);
      },
      () => {
        for (const text of texts) cryptoHash("sha256", text, "hex");
      },
    );
    lists.push({ ...half(value, limit), name: `members, ${name} normalised and hashed`, unit: "members/s" });
  }
  return [{ ...half(nine, alone), name: "nine identifiers normalised and hashed", unit: "people/s" }, ...lists];
}

/** Both in turns of a tenth of the time, so that a busy machine slows them alike. The median of each. */
async function sideBySide(
  operations: number,
  ms: number,
  ours: () => void,
  other: () => void,
): Promise<[ours: number, other: number]> {
  const rates: [number[], number[]] = [[], []];
  for (let turn = 0; turn < 10; turn++) {
    rates[0].push(await perSecond(operations, ms / 10, ours));
    rates[1].push(await perSecond(operations, ms / 10, other));
  }
  const [a, b] = rates.map((all) => all.sort((one, two) => one - two)[5] ?? 0);
  return [a ?? 0, b ?? 0];
}

function half(value: number, limit: number): Pick<Row, "value" | "limit" | "goals"> {
  return { value, limit, goals: [atLeast(0.5, "limit", "crypto.hash alone")] };
}

async function phones(ms: number): Promise<Row[]> {
  const all: Row[] = [];
  for (const [kind, write, defaultCountry] of kinds) {
    const texts = Array.from({ length: 500 }, (_, n) => write(n));
    const [value, peer] = await sideBySide(
      texts.length,
      ms / 2,
      () => {
        for (const text of texts) normalize("ph", text, { defaultCountry });
      },
      () => {
        for (const text of texts) parsePhoneNumberFromString(text, defaultCountry as "GB" | undefined)?.isPossible();
      },
    );
    all.push({
      name: `phones, ${kind}`,
      value,
      unit: "phones/s",
      peer,
      goals: [atLeast(0.4, "peer", "libphonenumber-js alone")],
    });
  }
  return all;
}
