import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { createSealer, type KeyProvider } from "../../src/auth/index.ts";
import { createDerive, createPayloadSeal } from "../../src/auth/sealed-format.ts";
import { createFakeClock } from "../../src/testing/clock.ts";
import { failure, KEY, OTHER_KEY } from "./support.ts";

const AAD = "acme/c1/tokens";
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array) => new TextDecoder().decode(value);

describe("sealing", () => {
  const sealer = createSealer({ keys: [KEY] });

  it("opens what it sealed, as text and as bytes", () => {
    expect(sealer.openText(sealer.sealText("grüße, 東京", AAD), AAD)).toBe("grüße, 東京");
    expect(text(sealer.open(sealer.seal(bytes("payload"), AAD), AAD))).toBe("payload");
    expect(sealer.openText(sealer.sealText("", AAD), AAD)).toBe("");
    expect(sealer.open(sealer.seal(new Uint8Array(0), AAD), AAD)).toHaveLength(0);
  });

  it("writes text as version, key id, nonce and ciphertext", () => {
    const sealed = sealer.sealText("token-token-token", AAD);
    expect(sealed).toMatch(/^v1\.[\w-]{8}\.[\w-]{16}\.[\w-]+$/);
    expect(sealer.keyIdOf(sealed)).toBe(sealer.keyIds[0]);
    expect(sealer.keyIdOf(sealer.seal(bytes("x"), AAD))).toBe(sealer.keyIds[0]);
    expect(sealed).not.toContain("token-token");
    expect(sealer.sealText("token-token-token", AAD)).not.toBe(sealed);
  });

  it.each(["other/c1/tokens", "acme/c2/tokens", "acme/c1", ""])("does not open at another place: %j", async (place) => {
    expect(await failure(() => sealer.openText(sealer.sealText("t", AAD), place))).toMatchObject({
      code: "sealed_invalid",
    });
    expect(await failure(() => sealer.open(sealer.seal(bytes("t"), AAD), place))).toMatchObject({
      code: "sealed_invalid",
    });
  });

  it("notices every changed byte", async () => {
    const sealed = sealer.seal(bytes("payload"), AAD);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = sealed.slice();
      changed[at] = (changed[at] as number) ^ 1;
      expect((await failure(() => sealer.open(changed, AAD))).code).toMatch(/^(sealed_invalid|encryption_key_gone)$/);
    }
    for (let length = 0; length < sealed.length; length += 1) {
      expect(await failure(() => sealer.open(sealed.subarray(0, length), AAD))).toMatchObject({
        kind: "fix_configuration",
      });
    }
  });

  it("opens a payload that lies inside a larger buffer", () => {
    const sealed = sealer.seal(bytes("payload"), AAD);
    const around = new Uint8Array(sealed.length + 20);
    around.set(sealed, 7);
    expect(text(sealer.open(around.subarray(7, 7 + sealed.length), AAD))).toBe("payload");
  });

  it("changes the derived key long before nonces can repeat, and opens under all of them", () => {
    const key = { id: "k", key: new Uint8Array(randomBytes(32)) };
    const seal = createPayloadSeal(createDerive(), 3);
    const salts = new Set(
      Array.from({ length: 9 }, () => Buffer.from(seal(bytes("x"), AAD, key).subarray(3, 19)).toString("hex")),
    );
    expect(salts.size).toBe(3);
  });

  it("refuses what was never sealed", async () => {
    for (const wrong of ["", "v1", "v2.a.b.c", "v1.a.b.c", "plain token", "v1.a.b.c.d"]) {
      expect(await failure(() => sealer.openText(wrong, AAD))).toMatchObject({ code: "sealed_invalid" });
    }
  });
});

describe("the key ring", () => {
  it("seals with the first key and opens with all", () => {
    const old = createSealer({ keys: [KEY] });
    const rotated = createSealer({ keys: [OTHER_KEY, KEY] });
    const sealed = old.sealText("token", AAD);
    expect(rotated.openText(sealed, AAD)).toBe("token");
    expect(rotated.keyIds).toEqual([createSealer({ keys: [OTHER_KEY] }).keyIds[0], old.keyIds[0]]);
    const again = rotated.resealText(sealed, AAD) as string;
    expect(rotated.keyIdOf(again)).toBe(rotated.keyIds[0]);
    expect(rotated.resealText(again, AAD)).toBeUndefined();
    expect(createSealer({ keys: [OTHER_KEY] }).openText(again, AAD)).toBe("token");
  });

  it("names the key that is gone, without a secret", async () => {
    const sealed = createSealer({ keys: [KEY] }).sealText("token", AAD);
    const error = await failure(() => createSealer({ keys: [OTHER_KEY] }).openText(sealed, AAD));
    expect(error).toMatchObject({ code: "encryption_key_gone", kind: "fix_configuration" });
    expect(inspect(error)).not.toContain(OTHER_KEY);
  });

  it.each([
    ["no key", [], "encryption_key_missing"],
    ["an empty one", [""], "encryption_key_missing"],
    ["an unset variable", [undefined as unknown as string], "encryption_key_missing"],
    ["16 bytes", [randomBytes(16).toString("base64")], "encryption_key_invalid"],
    ["hexadecimal", [randomBytes(32).toString("hex")], "encryption_key_invalid"],
    ["a sentence", ["my very secret passphrase!!"], "encryption_key_invalid"],
    ["zeros", [Buffer.alloc(32).toString("base64")], "encryption_key_invalid"],
    ["a wrong second one", [KEY, "AAAA"], "encryption_key_invalid"],
  ])("refuses %s", async (_, keys, code) => {
    const error = await failure(() => createSealer({ keys }));
    expect(error).toMatchObject({ code, kind: "fix_configuration" });
    for (const key of keys) if (key) expect(inspect(error)).not.toContain(key);
  });

  it("refuses a missing list", async () => {
    const error = await failure(() => createSealer({ keys: undefined as unknown as string[] }));
    expect(error).toMatchObject({ code: "encryption_key_missing" });
  });
});

describe("a key provider", () => {
  function provider() {
    const keys = new Map<string, Uint8Array>();
    const asked: string[] = [];
    const of = (tenantId: string) => {
      const id = `${tenantId}:1`;
      if (!keys.has(id)) keys.set(id, new Uint8Array(randomBytes(32)));
      return { id, key: keys.get(id) as Uint8Array };
    };
    const source: KeyProvider = {
      async sealingKey(tenantId) {
        asked.push(`seal ${tenantId}`);
        return of(tenantId);
      },
      async openingKey(id) {
        asked.push(`open ${id}`);
        return keys.get(id);
      },
    };
    return { source, keys, asked };
  }

  it("has a key of its own for each tenant, and is asked once in a while", async () => {
    const { source, asked } = provider();
    const clock = createFakeClock();
    const sealer = createSealer({ keys: source, clock });
    const acme = await sealer.seal(bytes("a"), "acme/x");
    const other = await sealer.sealText("b", "a%2Fb/x");
    expect(sealer.keyIdOf(acme)).toBe("acme:1");
    expect(sealer.keyIdOf(other)).toBe("a/b:1");
    for (let i = 0; i < 10; i += 1) expect(text(await sealer.open(acme, "acme/x"))).toBe("a");
    expect(asked).toEqual(["seal acme", "seal a/b", "open acme:1"]);
    await clock.advance(300_001);
    await sealer.open(acme, "acme/x");
    expect(asked).toHaveLength(4);
  });

  it("shreds a tenant by destroying its key", async () => {
    const { source, keys } = provider();
    const clock = createFakeClock();
    const sealer = createSealer({ keys: source, clock });
    const sealed = await sealer.sealText("token", "acme/x");
    keys.delete("acme:1");
    await clock.advance(300_001);
    expect(await failure(sealer.openText(sealed, "acme/x") as Promise<string>)).toMatchObject({
      code: "encryption_key_gone",
    });
  });

  it("waits where the service does not answer, and keeps no failure", async () => {
    const { source } = provider();
    let down = true;
    const sealer = createSealer({
      keys: {
        ...source,
        sealingKey: (tenantId) => {
          if (down) throw new Error("https://kms.example/?token=secret");
          return source.sealingKey(tenantId);
        },
      },
    });
    const error = await failure(sealer.sealText("t", "acme/x") as Promise<string>);
    expect(error).toMatchObject({ code: "encryption_key_unavailable", kind: "retry" });
    expect(inspect(error)).not.toContain("secret");
    down = false;
    expect(await sealer.sealText("t", "acme/x")).toMatch(/^v1\./);
  });

  it("refuses keys of the wrong size", async () => {
    const sealer = createSealer({
      keys: { sealingKey: () => ({ id: "k", key: new Uint8Array(16) }), openingKey: () => undefined },
    });
    expect(await failure(sealer.sealText("t", "a/x") as Promise<string>)).toMatchObject({
      code: "encryption_key_invalid",
    });
  });

  it("never mixes up two tenants whose keys have one name", async () => {
    const keys = new Map(["acme", "other"].map((tenant) => [tenant, new Uint8Array(randomBytes(32))]));
    const sealer = createSealer({
      keys: {
        sealingKey: (tenantId) => ({ id: "1", key: keys.get(tenantId) as Uint8Array }),
        openingKey: (_id, tenantId) => keys.get(tenantId),
      },
    });
    const [acme, other] = [await sealer.seal(bytes("a"), "acme/x"), await sealer.seal(bytes("b"), "other/x")];
    expect(text(await sealer.open(acme, "acme/x"))).toBe("a");
    expect(text(await sealer.open(other, "other/x"))).toBe("b");
  });
});
