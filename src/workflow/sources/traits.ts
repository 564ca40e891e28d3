import { type Bag, remembered } from "./read.ts";

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

/** The canonical key of a trait; a trait nobody knows keeps its name, the one key that is no data has none. */
const canonicalKey = remembered((key) =>
  key === "__proto__" ? "" : (CANONICAL.get(key.toLowerCase().replace(/[\s_-]+/g, "")) ?? key),
);

/**
 * Adds traits to `out` under their canonical keys. What is there already stays, so the best place is read first; a
 * nested `address` is opened, a two-letter country code beats a country's name.
 */
export function addTraits(out: Record<string, unknown>, traits: Bag, unwrap?: (value: unknown) => unknown): void {
  for (const key of Object.keys(traits)) {
    const value = unwrap ? unwrap(traits[key]) : traits[key];
    if (value === undefined || value === null || value === "") continue;
    const canonical = canonicalKey(key);
    if (canonical === "address" && typeof value === "object") addTraits(out, value as Bag, unwrap);
    else if (canonical === "country" && typeof out.country === "string" && out.country.length > 2) {
      if (typeof value === "string" && value.trim().length === 2) out.country = value;
    } else if (canonical && out[canonical] === undefined) out[canonical] = value;
  }
}
