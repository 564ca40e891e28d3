import { describe, expect, it } from "vitest";
import { normalize, sha256Hex } from "../../src/identity/index.ts";
import { purchase, sent } from "./events.ts";

const user = (user_data: Record<string, unknown>, options = {}) =>
  sent(purchase({ user_data: { em: "j@example.com", ...user_data } }), options).user_data;

describe("digests that are kept", () => {
  it("are those of the country the value was read by", () => {
    for (let round = 0; round < 2; round++) {
      expect(user({ zp: "94043-1351", country: "US" }).zp).toEqual([sha256Hex("94043")]);
      expect(user({ zp: "94043-1351", country: "BR" }).zp).toEqual([
        sha256Hex(normalize("zp", "94043-1351", { country: "BR" }) ?? ""),
      ]);
      expect(user({ st: "California", country: "US" }).st).toEqual([sha256Hex("ca")]);
      expect(user({ st: "Bavaria", country: "DE" }).st).toEqual([sha256Hex("bavaria")]);
      expect(user({ st: "Ontario", country: "CA" }).st).toEqual([sha256Hex("ontario")]);
      expect(user({ st: "Ontario", country: "CA" }, { stateCodes: ["CA"] }).st).toEqual([sha256Hex("on")]);
    }
  });

  it("stay right over more values than are kept", () => {
    for (const round of [0, 1]) {
      for (let n = 0; n < 10_000; n += 7) {
        const city = `City${String.fromCharCode(97 + (n % 26), 97 + ((n / 26) % 26), 97 + ((n / 676) % 26))}`;
        expect([round, user({ ct: city }).ct]).toEqual([round, [sha256Hex(city.toLowerCase())]]);
      }
    }
  });

  it("keep nothing about what cannot be used", () => {
    expect(user({ ct: "123" }).ct).toBeUndefined();
    expect(user({ ct: "123" }).ct).toBeUndefined();
  });

  it("keep user agents as they are, quotes and all", () => {
    const agent = 'Browser "9"\\1 \u00e9';
    for (let round = 0; round < 2; round++) expect(user({ client_user_agent: agent }).client_user_agent).toBe(agent);
    for (let n = 0; n < 1_500; n++) expect(user({ client_user_agent: `UA/${n}` }).client_user_agent).toBe(`UA/${n}`);
  });
});
