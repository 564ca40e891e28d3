/** Made-up purchases with nine identifiers each, as a shop has them: many people, some cities, few countries. */

const FIRST = [
  "Amelia",
  "Jack",
  "Olivia",
  "Noah",
  "Zoë",
  "Raphaël",
  "Isla",
  "Mary Ann",
  "Jean-Luc",
  "İpek",
  "Sofia",
  "Liam",
];
const LAST = [
  "Smith",
  "O’Brien",
  "van der Berg",
  "Müller",
  "Garcia",
  "Nguyễn",
  "Taylor",
  "Brown",
  "Rossi",
  "Dubois",
  "Novák",
];
const PLACES = [
  {
    city: "London",
    state: "England",
    country: "GB",
    zip: (n: number) => `SW${n % 20}A ${n % 9}AA`,
    phone: (n: number) => `+44 7700 9${digits(n, 5)}`,
  },
  {
    city: "San Francisco",
    state: "California",
    country: "US",
    zip: (n: number) => `94${digits(n, 3)}`,
    phone: (n: number) => `+1 415-555-${digits(n, 4)}`,
  },
  {
    city: "New York",
    state: "NY",
    country: "US",
    zip: (n: number) => `10${digits(n, 3)}`,
    phone: (n: number) => `+1 212 555 ${digits(n, 4)}`,
  },
  {
    city: "Paris",
    state: "Île-de-France",
    country: "FR",
    zip: (n: number) => `75${digits(n % 20, 3)}`,
    phone: (n: number) => `+33 6 12 ${digits(n, 4)} 00`,
  },
  {
    city: "Berlin",
    state: "Berlin",
    country: "DE",
    zip: (n: number) => `10${digits(n, 3)}`,
    phone: (n: number) => `+49 151 ${digits(n, 8)}`,
  },
  {
    city: "São Paulo",
    state: "SP",
    country: "BR",
    zip: (n: number) => `01${digits(n, 3)}-000`,
    phone: (n: number) => `+55 11 9${digits(n, 8)}`,
  },
] as const;

function digits(n: number, length: number): string {
  return String((n * 7_919) % 10 ** length).padStart(length, "0");
}

/** One CDP event in Segment's envelope. */
export function segmentPurchase(n: number, timeMs: number): Record<string, unknown> {
  const place = PLACES[n % PLACES.length] ?? PLACES[0];
  return {
    type: "track",
    event: "Order Completed",
    messageId: `message-${n}`,
    timestamp: new Date(timeMs).toISOString(),
    userId: `User-${n}`,
    properties: {
      revenue: 40 + (n % 500) / 4,
      currency: "GBP",
      order_id: `SO-${n}`,
      products: [
        {
          product_id: `sku-${n % 900}`,
          name: "Rain jacket",
          price: 20,
          quantity: 2,
          brand: "Fjell",
          category: "Jackets",
        },
        {
          product_id: `sku-${(n + 7) % 900}`,
          name: "Wool beanie",
          price: 24.5,
          quantity: 1,
          brand: "Acme",
          category: "Hats",
        },
      ],
    },
    context: {
      ip: `203.0.113.${n % 256}`,
      userAgent: `Mozilla/5.0 (iPhone; CPU iPhone OS 17_${n % 7} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1`,
      page: {
        url: `https://shop.example/thanks?utm_source=snapchat&ScCid=0a1b2c3d-1111-4222-8333-${digits(n, 12)}&session=${n}`,
      },
      traits: {
        email: `Shopper.${n}@Example.com`,
        phone: place.phone(n),
        firstName: FIRST[n % FIRST.length],
        lastName: LAST[n % LAST.length],
        address: { city: place.city, state: place.state, postalCode: place.zip(n), country: place.country },
      },
    },
  };
}
