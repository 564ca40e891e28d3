import { hash as digest } from "node:crypto";
import { hash, type IdentityField, sha256Hex } from "../identity/index.ts";
import type { UserDataInput } from "../wire/event.ts";

/** Identifiers that name a person well enough to find them again. Names, places and addresses do not. */
export const SUBJECT_FIELDS = ["em", "ph", "external_id", "madid", "idfv"] as const satisfies readonly IdentityField[];
export type SubjectField = (typeof SUBJECT_FIELDS)[number];

/** 128 bits as base64url. */
const DIGEST_LENGTH = 22;

/**
 * Digests of people that only this tenant's key makes: what is stored beside a queued item and in a tombstone. The same
 * person has another digest at every tenant, and none once the key is destroyed.
 */
export interface Subjects {
  /** Of one identifier, by its SHA-256 as Snapchat gets it. */
  ofHash(field: SubjectField, sha256: string): string;
  /** Of the host's own key of a person, as `resolveIdentity` takes it. */
  ofPerson(personKey: string): string;
  /** Of every identifier in a person's raw data. */
  ofUser(user: UserDataInput, options?: { defaultCountry?: string | undefined }): string[];
  /** The same from a prepared event's JSON text, whose identifiers are hashed already. */
  ofEvent(json: string): string[];
}

/**
 * `key`: the tenant's 32 random bytes.
 *
 * The key in hexadecimal fills exactly the first block of SHA-256 and half of the digest is thrown away, so it cannot be
 * extended; HMAC would say no more here and costs four times as much on every event.
 */
export function createSubjects(key: Uint8Array): Subjects {
  const prefix = Buffer.from(key).toString("hex");
  const make = (kind: string, text: string): string =>
    digest("sha256", `${prefix}${kind}:${text}`, "base64url").slice(0, DIGEST_LENGTH);

  return {
    ofHash: (field, sha256) => make(field, sha256),
    ofPerson: (personKey) => make("person", personKey),
    ofUser(user, options = {}) {
      const found = new Set<string>();
      for (const field of SUBJECT_FIELDS) {
        const given = user[field];
        for (const value of Array.isArray(given) ? given : [given]) {
          if (value === undefined) continue;
          const hashed = hash(field, value, options);
          if (hashed !== undefined) found.add(make(field, hashed));
        }
      }
      return [...found];
    },
    ofEvent(json) {
      const found: string[] = [];
      for (const field of SUBJECT_FIELDS) {
        const name = NAMES[field];
        for (let at = json.indexOf(name); at >= 0; at = json.indexOf(name, at + name.length)) {
          addTexts(json, at + name.length, field, found);
        }
      }
      return found;
    },
  };

  /** Of the text that begins here, or of the texts of the list that does. Hashes and device ids hold nothing escaped. */
  function addTexts(json: string, start: number, field: SubjectField, found: string[]): void {
    const list = json.charCodeAt(start) === BRACKET;
    let at = list ? start + 1 : start;
    while (json.charCodeAt(at) === QUOTE) {
      const end = json.indexOf('"', at + 1);
      if (end < 0) return;
      const text = json.slice(at + 1, end);
      const hashed = field === "madid" || field === "idfv" ? sha256Hex(text.toLowerCase()) : text;
      if (hashed.length === 64) {
        const subject = make(field, hashed);
        if (!found.includes(subject)) found.push(subject);
      }
      if (!list || json.charCodeAt(end + 1) !== COMMA) return;
      at = end + 2;
    }
  }
}

/** Quotes inside a JSON string are escaped, so nobody's text can look like one of these. */
const NAMES: Readonly<Record<SubjectField, string>> = {
  em: '"em":',
  ph: '"ph":',
  external_id: '"external_id":',
  madid: '"madid":',
  idfv: '"idfv":',
};

const QUOTE = 34;
const COMMA = 44;
const BRACKET = 91;

/** The 16 bytes that the members port holds a person by. */
export function personBytes(subject: string): Uint8Array {
  return Buffer.from(subject, "base64url");
}
