import { asText, type Bag } from "./read.ts";

/** Spellings of one trait, folded (lower case, no separators) → its canonical key. */
const CANONICAL = new Map<string, string>(
  Object.entries({
    email: ["email", "emailaddress", "mail", "identifybyemail"],
    phone: ["phone", "phonenumber", "mobile", "mobilenumber", "telephone", "identifybyphone"],
    first_name: ["firstname", "fname", "givenname"],
    last_name: ["lastname", "lname", "surname", "familyname"],
    gender: ["gender", "sex"],
    birthday: ["birthday", "birthdate", "dateofbirth", "dob"],
    city: ["city", "town"],
    state: ["state", "province", "region", "provincecode", "statecode"],
    zip: ["zip", "zipcode", "postalcode", "postcode", "postal", "pincode"],
    country: ["country", "countrycode"],
    street: ["street", "address1", "streetaddress"],
    customer_id: ["customerid", "bccustomerid"],
  }).flatMap(([key, spellings]) => spellings.map((spelling) => [spelling, key] as const)),
);

const KNOWN = new Map<string, string>();

/** The canonical key of a trait; a trait nobody knows keeps its name. */
function canonicalKey(key: string): string {
  const known = KNOWN.get(key);
  if (known !== undefined) return known;
  const canonical = CANONICAL.get(key.toLowerCase().replace(/[\s_-]+/g, "")) ?? key;
  if (KNOWN.size > 1_000) KNOWN.clear();
  KNOWN.set(key, canonical);
  return canonical;
}

/**
 * Adds traits to `out` under their canonical keys. What is there already stays, so the best place is read first; a
 * nested `address` is opened. Keys every object has are left out.
 */
export function addTraits(out: Record<string, unknown>, traits: Bag): void {
  // A two-letter code beats a country's name whatever the order.
  const code = asText(traits.country_code ?? traits.countryCode);
  if (code !== undefined && out.country === undefined) out.country = code;
  for (const key of Object.keys(traits)) {
    const value = traits[key];
    if (value === undefined || value === null || value === "" || key in {}) continue;
    if (key === "address" && typeof value === "object") {
      addTraits(out, value as Bag);
      continue;
    }
    const canonical = canonicalKey(key);
    if (out[canonical] === undefined) out[canonical] = value;
  }
}
