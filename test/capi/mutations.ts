/** Random numbers between 0 and 1 from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Random = () => number;

export function pick<T>(list: readonly T[], random: Random): T {
  return list[Math.floor(random() * list.length)] as T;
}

const TEXTS = [
  "",
  " ",
  "null",
  "undefined",
  "NaN",
  "0",
  "-1",
  "1e999",
  "1,234",
  "1.234,56",
  "9".repeat(400),
  "x".repeat(5_000),
  "\u0000",
  "\ud800",
  "\udc00x",
  "\u200b\u200d",
  "İ",
  "ß",
  "ﬁ",
  "٠٥٠١٢٣٤٥٦٧",
  "＋４４ ８４４",
  "𝒥𝒶𝓃𝑒",
  "e\u0301".repeat(50),
  "\u202e",
  '"',
  "\\",
  "\\u0000",
  "</script>",
  "#{1}",
  "{{x}}",
  "__proto__",
  "constructor",
  "toString",
  "[object Object]",
  "a@b",
  "@",
  "@@@@",
  "a@b.c",
  "mailto:a@b.co",
  "%40",
  "jane%40example.com",
  "+1",
  "+",
  "tel:+1-415-555-0132;ext=7",
  "00000000-0000-0000-0000-000000000000",
  "38400000-8CF0-11BD-B23E-10B96E40000D",
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "A".repeat(64),
  "d41d8cd98f00b204e9800998ecf8427e",
  "https://",
  "https://x",
  "http://[::1]/",
  "https://x.example/?ScCid=%00",
  "javascript:alert(1)",
  "//",
  "a.b",
  "https://x.example/%",
  "1.2.3.4",
  "::",
  "::1",
  "1:2",
  "999.1.1.1",
  "1.2.3.4, 5.6.7.8",
  "2026-02-30T00:00:00Z",
  "2026-11-20",
  "1795000000",
  "1795000000000",
  "PURCHASE",
  "purchase",
  "ADD_TO_CART",
  "WEB",
  "app",
  "['lmu']",
  "DELETE",
  "GBP",
  "gbp",
  "£",
  "ZZZ",
] as const;

const NUMBERS = [
  0,
  -0,
  -1,
  1,
  0.1 + 0.2,
  1e21,
  1e308,
  Number.MAX_SAFE_INTEGER + 2,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1e10,
  1e12,
  1_795_000_000,
  5e-324,
];

/** A value no schema expects. */
export function hostile(random: Random): unknown {
  const kind = random();
  if (kind < 0.45) return pick(TEXTS, random);
  if (kind < 0.6) return pick(NUMBERS, random);
  if (kind < 0.9) return pick(VALUES, random)(random);
  return Array.from({ length: Math.floor(random() * 5) }, () => hostile(random));
}

const VALUES: readonly ((random: Random) => unknown)[] = [
  () => null,
  () => undefined,
  () => true,
  () => false,
  () => [],
  () => ({}),
  () => [[]],
  () => 10n,
  () => Symbol("x"),
  () => () => 1,
  () => new Date(Number.NaN),
  () => new Date(1_795_000_000_000),
  () => new Map([["a", 1]]),
  () => new Uint8Array(3),
  () => /x/,
  () => new Error("x"),
  () => Object.create(null),
  () => JSON.parse('{"__proto__":{"polluted":true}}'),
  () => ({ toString: () => "x", valueOf: () => 1, toJSON: () => "y" }),
  () => ({ toString: null, valueOf: null }),
  () => Object.freeze({ a: 1 }),
  () => new String("boxed"),
  () => new Array(5),
  () => Array.from({ length: 200 }, (_, index) => index),
  () => deep(40),
  () => cycle(),
  () => throwing(),
  () =>
    new Proxy(
      {},
      { ownKeys: () => ["a"], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }) },
    ),
  (random) => ({ t: "string", v: hostile(random) }),
  (random) => ({ [pick(TEXTS, random)]: hostile(random) }),
];

function deep(depth: number): unknown {
  return depth === 0 ? "end" : [deep(depth - 1)];
}

function cycle(): unknown {
  const value: Record<string, unknown> = { a: 1 };
  value.self = value;
  return value;
}

function throwing(): unknown {
  return Object.defineProperty({}, "boom", {
    enumerable: true,
    get: () => {
      throw new Error("a getter threw");
    },
  });
}

interface Place {
  parent: Record<string, unknown> | unknown[];
  key: string;
}

/** Every place of a value where something could be put. */
function places(value: unknown, into: Place[] = [], depth = 0): Place[] {
  if (typeof value !== "object" || value === null || depth > 6 || into.length > 300) return into;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return into;
  for (const key of Object.keys(value)) {
    into.push({ parent: value as Record<string, unknown>, key });
    places(at({ parent: value as Record<string, unknown>, key }), into, depth + 1);
  }
  return into;
}

const at = ({ parent, key }: Place): unknown => Reflect.getOwnPropertyDescriptor(parent, key)?.value;

function put({ parent, key }: Place, value: unknown): void {
  Reflect.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
}

/** A copy of a plain event with one to five things wrong. */
export function mutated(event: unknown, random: Random): unknown {
  const copy: unknown = structuredClone(event);
  if (random() < 0.01) return hostile(random);
  for (let count = 1 + Math.floor(random() * 5); count > 0; count--) {
    const all = places(copy);
    if (all.length === 0) return copy;
    const place = pick(all, random);
    const choice = random();
    if (choice < 0.45) put(place, hostile(random));
    else if (choice < 0.6) Reflect.deleteProperty(place.parent, place.key);
    else if (choice < 0.75) put(place, at(pick(all, random)));
    else if (choice < 0.85) put({ parent: place.parent, key: pick(TEXTS, random) }, hostile(random));
    else if (choice < 0.93) put(place, textOf(at(place)).toUpperCase());
    else put(place, [at(place), at(place), hostile(random)]);
  }
  return copy;
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "x";
}
