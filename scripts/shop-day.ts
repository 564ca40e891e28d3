/**
 * A made-up shop's day of CustomerLabs events, always the same one: people, products, events and what must come of them.
 * Reserved domains and number ranges only. The truth about each person is made first and written down in the irregular
 * ways real shops use, so the expected audiences never pass through the code they judge.
 */
import { createHash } from "node:crypto";

export interface ShopEvent {
  /** When the CDP received it, ISO 8601. */
  received_at: string;
  /** The envelope as CustomerLabs' own helpers write it, irregularities included. */
  event: Record<string, unknown>;
}

export interface ShopDay {
  events: ShopEvent[];
  /** People who did something that day. */
  people: number;
  countries: number;
  /** Segment key → SHA-256 digests that Snapchat must hold in the end, by identifier kind. */
  audiences: Map<string, { email: Set<string>; phone: Set<string> }>;
}

interface Person {
  id: string;
  country: string;
  first: string;
  last: string;
  email: string | undefined;
  /** Digits of the international number, as Snapchat wants them hashed. */
  phone: string | undefined;
  /** The same number as its owner would write it. */
  writtenPhone: string | undefined;
  city: string;
  consent: unknown;
  ip: string | undefined;
  userAgent: string | undefined;
}

const DAY_START = Date.parse("2026-11-20T00:00:00.000Z");
const DAY_MS = 86_400_000;

interface Country {
  code: string;
  currency: string;
  count: number;
  cities: readonly string[];
  first: readonly string[];
  last: readonly string[];
  /** The n-th number of the country's range for fiction: national significant number. */
  number(n: number): { international: string; written: readonly string[] };
}

const pad = (value: number, width: number) => String(value).padStart(width, "0");

const COUNTRIES: readonly Country[] = [
  {
    code: "GB",
    currency: "GBP",
    count: 400,
    cities: ["London", "Bristol", "St. Ives", "Newcastle upon Tyne"],
    first: ["Olivia", "Amelia", "Harry", "George", "Isla", "Jack", "Zoë", "Siân"],
    last: ["Smith", "O'Connor", "Taylor", "Wright-Jones", "Khan", "Evans", "Patel"],
    // Ofcom's mobile range for drama.
    number: (n) => {
      const last = pad(n, 3);
      const international = `447700900${last}`;
      return {
        international,
        written: [
          `07700 900${last}`,
          `+44 7700 900${last}`,
          `+44 (0)7700 900${last}`,
          `0044 7700 900 ${last}`,
          `07700-900-${last}`,
        ],
      };
    },
  },
  {
    code: "US",
    currency: "USD",
    count: 300,
    cities: ["San Francisco", "New York", "St. Louis", "Austin"],
    first: ["Emma", "Liam", "Noah", "Mary Ann", "Mason", "Ava"],
    last: ["Johnson", "Williams", "Garcia", "Smith Jr.", "Davis"],
    // 555-0100 to 555-0199 of an area code.
    number: (n) => {
      const area = ["415", "212", "303"][Math.floor(n / 100)] ?? "206";
      const last = pad(100 + (n % 100), 4);
      return {
        international: `1${area}555${last}`,
        written: [
          `+1 (${area}) 555-${last}`,
          `001.${area}.555.${last}`,
          `tel:+1-${area}-555-${last}`,
          `+1${area}555${last}`,
        ],
      };
    },
  },
  {
    code: "DE",
    currency: "EUR",
    count: 250,
    cities: ["München", "Berlin", "Köln", "Frankfurt am Main"],
    first: ["Jürgen", "Anna", "Lena", "Björn", "Käthe"],
    last: ["Müller", "Schröder", "Weiß", "von der Heide", "Koch"],
    // The Berlin range the German regulator keeps for fiction.
    number: (n) => {
      const last = pad(n, 3);
      return {
        international: `493023125${last}`,
        written: [`+49 30 23125 ${last}`, `0049-30-23125${last}`, `+49 (0)30 23125${last}`],
      };
    },
  },
  {
    code: "FR",
    currency: "EUR",
    count: 200,
    cities: ["Paris", "Saint-Étienne", "Lyon", "Aix-en-Provence"],
    first: ["Raphaël", "Chloé", "Jean-Luc", "Zoé", "Hélène"],
    last: ["Lefèvre", "D'Artois", "Martin", "Noël"],
    // The French regulator's mobile range for fiction.
    number: (n) => {
      const [a, b] = [pad(Math.floor(n / 100), 2), pad(n % 100, 2)];
      return {
        international: `3363998${a}${b}`,
        written: [`+33 6 39 98 ${a} ${b}`, `+33 (0)6 39 98 ${a} ${b}`, `0033 639 98 ${a}${b}`],
      };
    },
  },
  {
    code: "AU",
    currency: "AUD",
    count: 150,
    cities: ["Sydney", "Melbourne", "Wagga Wagga", "Perth"],
    first: ["Charlotte", "Oliver", "Matilda", "Jack"],
    last: ["Brown", "Wilson", "O’Brien", "Nguyen"],
    // The Australian regulator's geographic range for fiction.
    number: (n) => {
      const last = pad(n, 4);
      return {
        international: `6125550${last}`,
        written: [`+61 2 5550 ${last}`, `+61 (0)2 5550 ${last}`, `0061 2 5550${last}`],
      };
    },
  },
  {
    code: "SE",
    currency: "SEK",
    count: 95,
    cities: ["Göteborg", "Malmö", "Västerås"],
    first: ["Åsa", "Björn", "Saga", "Nils"],
    last: ["Åkesson", "Lindström", "Öberg"],
    // The Swedish regulator's Gothenburg range for fiction.
    number: (n) => {
      const last = pad(n, 2);
      return {
        international: `463139006${last}`,
        written: [`+46 31 390 06 ${last}`, `+46 (0)31-390 06 ${last}`, `0046 31 39006${last}`],
      };
    },
  },
];

const PRODUCTS = Array.from({ length: 60 }, (_, n) => ({
  id: `sku-${100 + n}`,
  name: `${["Linen shirt", "Canvas tote", "Trail shoe", "Rain jacket", "Wool beanie"][n % 5]} no. ${n}`,
  price: 9 + ((n * 7) % 120) + 0.5 * (n % 2),
  brand: ["Northway", "Fjell", "Marram"][n % 3],
  category: ["Shirts", "Bags", "Shoes", "Jackets", "Hats"][n % 5],
}));

export const SEGMENTS = [
  "vip_customers",
  "abandoned_checkout_30_days",
  "newsletter_readers",
  "repeat_buyers",
  "winter_lookbook",
] as const;

/** xorshift32: small, fixed, the same everywhere. */
function seeded(seed: number) {
  let state = seed >>> 0;
  const next = () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 4_294_967_296;
  };
  return {
    next,
    below: (n: number) => Math.floor(next() * n),
    pick: <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T,
    chance: (p: number) => next() < p,
    hex: (length: number) => Array.from({ length }, () => Math.floor(next() * 16).toString(16)).join(""),
  };
}
type Random = ReturnType<typeof seeded>;

const sha256 = (text: string) => createHash("sha256").update(text, "utf8").digest("hex");

export function shopDay(): ShopDay {
  const random = seeded(20_261_120);
  const people = COUNTRIES.flatMap((country) => makePeople(country, random));
  const events: ShopEvent[] = [];
  const membership = new Map<string, Map<Person, boolean>>(SEGMENTS.map((key) => [key, new Map()]));
  const seen = new Set<Person>();
  const plan = shuffled(eventPlan(), random);

  plan.forEach((name, index) => {
    // The first rounds visit everybody once, so that every made-up person shops that day.
    const person = index < people.length ? (people[index] as Person) : random.pick(people);
    const at = DAY_START + Math.floor(((index + random.next()) / plan.length) * DAY_MS);
    seen.add(person);
    events.push({
      received_at: new Date(at).toISOString(),
      event: makeEvent(name, person, at, index, random, membership),
    });
  });

  const audiences = new Map<string, { email: Set<string>; phone: Set<string> }>();
  for (const [key, members] of membership) {
    const held = { email: new Set<string>(), phone: new Set<string>() };
    for (const [person, present] of members) {
      if (!present) continue;
      if (person.email) held.email.add(sha256(person.email));
      if (person.phone) held.phone.add(sha256(person.phone));
    }
    audiences.set(key, held);
  }
  return { events, people: seen.size, countries: COUNTRIES.length, audiences };
}

function makePeople(country: Country, random: Random): Person[] {
  return Array.from({ length: country.count }, (_, n) => {
    const first = random.pick(country.first);
    const last = random.pick(country.last);
    const anonymous = random.chance(0.06);
    const number = country.number(n);
    const withPhone = !anonymous && random.chance(0.7);
    const handle = `${ascii(first)}.${ascii(last)}.${country.code.toLowerCase()}${n}`;
    return {
      id: `cl-${country.code.toLowerCase()}-${pad(n, 4)}`,
      country: country.code,
      first,
      last,
      email: anonymous ? undefined : `${handle}@${random.pick(["example.com", "example.org", "mail.example.net"])}`,
      phone: withPhone ? number.international : undefined,
      writtenPhone: withPhone ? random.pick(number.written) : undefined,
      city: random.pick(country.cities),
      consent: makeConsent(random),
      ip: anonymous && random.chance(0.5) ? undefined : `203.0.113.${random.below(254) + 1}`,
      userAgent: anonymous && random.chance(0.5) ? undefined : "ExampleBrowser/9.1 (made up)",
    };
  });
}

/** Most people agree, in one of the ways consent tools write it; some refuse. */
function makeConsent(random: Random): unknown {
  if (random.chance(0.08)) return random.pick([{ ad_storage: "denied" }, { ad_storage: false }]);
  return random.pick([
    { ad_storage: "granted" },
    { ad_storage: true },
    { ad_storage: "granted", analytics_storage: "denied" },
  ]);
}

function eventPlan(): string[] {
  const counts: Record<string, number> = {
    "Product viewed": 1_480,
    "Category viewed": 520,
    "Search made": 260,
    "Added to cart": 700,
    "Removed from cart": 90,
    "Cart viewed": 140,
    "Added to wishlist": 130,
    "Checkout made": 360,
    AddContact: 60,
    AddPaymentInfo: 250,
    Purchased: 310,
    added_to_segment: 480,
    removed_from_segment: 110,
    lead_created: 60,
    wheel_spun: 30,
    "Chat opened": 20,
  };
  return Object.entries(counts).flatMap(([name, count]) => Array.from({ length: count }, () => name));
}

function makeEvent(
  name: string,
  person: Person,
  at: number,
  index: number,
  random: Random,
  membership: Map<string, Map<Person, boolean>>,
): Record<string, unknown> {
  const properties: Record<string, unknown> = {
    user_traits: wrapMap(traits(person, random), random),
    external_ids: wrapMap({ customerlabs_user_id: person.id, ...clickIds(random) }, random),
    [random.chance(0.7) ? "page_url" : "url"]: leaf(pageUrl(name, random), random),
  };
  const event: Record<string, unknown> = {
    event: name,
    method: random.pick(["trackClick", "pageview"]),
    customProperties: properties,
  };
  if (random.chance(0.92))
    event.event_id = `${random.hex(8)}-${random.hex(4)}-4${random.hex(3)}-a${random.hex(3)}-${random.hex(12)}`;
  const time = eventTime(at, index);
  if (time !== undefined) event.timestamp = time;
  if (person.ip) event.ip = person.ip;
  if (person.userAgent) event.user_agent = person.userAgent;
  event.consent = person.consent;

  if (name === "added_to_segment" || name === "removed_from_segment") {
    const segment = random.pick(SEGMENTS);
    properties.segment_name = leaf(segment, random);
    // Membership is state, not a conversion: the last word counts, whenever it was said.
    delete event.timestamp;
    if (consents(person)) membership.get(segment)?.set(person, name === "added_to_segment");
    return event;
  }
  if (name === "Search made")
    properties.search_string = leaf(random.pick(["linen", "rain jacket", "größe 42", "tote"]), random);
  if (name === "Category viewed") {
    properties.category_name = leaf(random.pick(["Shirts", "Bags", "Shoes"]), random);
    properties.category_id = leaf(`c-${random.below(9)}`, random);
  }
  if (/viewed$|cart$|wishlist$|Checkout|Purchased/.test(name) && name !== "Category viewed")
    addProducts(event, properties, name, person, random);
  if (name === "AddPaymentInfo") {
    Object.assign(properties, {
      subtotal: numeric(40, random),
      shipping_price: numeric(5, random),
      tax: numeric(3, random),
      value: numeric(48, random),
    });
    properties.currency = leaf(currencyOf(person), random);
  }
  if (random.chance(0.05)) properties.skip_contents = true;
  return event;
}

const consents = (person: Person) => {
  const consent = (person.consent as { ad_storage?: unknown }).ad_storage;
  return consent === "granted" || consent === true;
};

const currencyOf = (person: Person) => COUNTRIES.find((country) => country.code === person.country)?.currency ?? "GBP";

/** CustomerLabs documents no time field; two in three events carry one all the same, a few of them too old or too new. */
function eventTime(at: number, index: number): string | undefined {
  if (index % 151 === 7) return new Date(at - (9 + (index % 11)) * DAY_MS).toISOString();
  if (index % 307 === 11) return new Date(at + 30 * 3_600_000).toISOString();
  if (index % 97 === 3) return new Date(at + 90_000).toISOString();
  return index % 3 === 0 ? undefined : new Date(at - 1_500).toISOString();
}

function traits(person: Person, random: Random): Record<string, unknown> {
  return {
    ...(person.email ? { email: written(person.email, random) } : {}),
    ...(person.writtenPhone ? { phone: person.writtenPhone } : {}),
    first_name: person.first,
    last_name: person.last,
    city: person.city,
    [random.chance(0.5) ? "country" : "country_code"]: person.country,
  };
}

function addProducts(
  event: Record<string, unknown>,
  properties: Record<string, unknown>,
  name: string,
  person: Person,
  random: Random,
): void {
  const count = name === "Product viewed" ? 1 : 1 + random.below(3);
  const chosen = Array.from({ length: count }, () => ({
    product: random.pick(PRODUCTS),
    quantity: 1 + random.below(2),
  }));
  const total = chosen.reduce((sum, { product, quantity }) => sum + product.price * quantity, 0);
  event.productProperties = chosen.map(({ product, quantity }) => ({
    product_id: leaf(product.id, random),
    product_name: leaf(product.name, random),
    product_price: numeric(product.price, random),
    product_quantity: random.chance(0.3) ? { t: "string", v: String(quantity) } : { t: "number", v: quantity },
    product_brand: leaf(product.brand, random),
    product_category: leaf(product.category, random),
    [random.chance(0.5) ? "product_image_url" : "product_imageURL"]: leaf(
      `https://shop.example/images/${product.id}.jpg`,
      random,
    ),
  }));
  properties.value = numeric(Number(total.toFixed(2)), random);
  properties.currency = leaf(random.chance(0.1) ? currencyOf(person).toLowerCase() : currencyOf(person), random);
  if (name !== "Purchased") return;
  const order = `SO-${10_000 + random.below(1_000_000)}`;
  const where = random.below(3);
  if (where === 0) properties.order_id = leaf(order, random);
  else if (where === 1)
    Object.assign(properties, {
      transaction_id: leaf(order, random),
      transaction_number: leaf(`${random.below(10 ** 9)}`, random),
    });
  else properties.transaction_number = leaf(order, random);
  // A typo in one of the vendor's scripts loses the currency of an order.
  if (random.chance(0.04)) delete properties.currency;
}

/** A leaf in the documented `{ t, v }` form, or bare as several of the vendor's helpers write it. */
function leaf(value: unknown, random: Random): unknown {
  return random.chance(0.85) ? { t: typeof value, v: value } : value;
}

function numeric(value: number, random: Random): unknown {
  const style = random.below(10);
  if (style < 6) return { t: "number", v: value };
  return style < 9 ? { t: "string", v: value.toFixed(2) } : value;
}

function wrapMap(map: Record<string, unknown>, random: Random): unknown {
  return random.chance(0.4) ? { t: "Object", v: map } : map;
}

/** A mail address as a form takes it: capitals, stray spaces. */
function written(email: string, random: Random): string {
  const style = random.below(6);
  if (style === 0) return ` ${email} `;
  if (style === 1) return email.toUpperCase();
  return style === 2 ? email.charAt(0).toUpperCase() + email.slice(1) : email;
}

function clickIds(random: Random): Record<string, string> {
  return random.chance(0.3)
    ? { snapchat__scid: `${random.hex(8)}-${random.hex(4)}-4${random.hex(3)}-b${random.hex(3)}-${random.hex(12)}` }
    : {};
}

function pageUrl(name: string, random: Random): string {
  const path = `/${name.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`;
  const click = random.chance(0.25)
    ? `&ScCid=${random.hex(8)}-${random.hex(4)}-4${random.hex(3)}-A${random.hex(3)}-${random.hex(12).toUpperCase()}`
    : "";
  return `https://shop.example${path}?utm_source=snapchat&session=${random.hex(6)}${click}`;
}

function ascii(text: string): string {
  return (
    text
      .normalize("NFD")
      .replaceAll(/[^A-Za-z]/g, "")
      .toLowerCase() || "guest"
  );
}

function shuffled<T>(list: T[], random: Random): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [list[i], list[j]] = [list[j] as T, list[i] as T];
  }
  return list;
}
