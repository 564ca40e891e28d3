import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lazy } from "../../src/identity/lazy.ts";
import { portableSha256Hex, sha256Hex } from "../../src/identity/sha256.ts";

const identity = JSON.stringify(new URL("../../src/identity/index.ts", import.meta.url).href);

/** Runs a module in a process of its own and answers the JSON it prints. */
function run(source: string): unknown {
  const out = execFileSync(process.execPath, ["--input-type=module", "--no-warnings", "-e", source], {
    encoding: "utf8",
  });
  return JSON.parse(out);
}

describe("what is loaded when", () => {
  it("importing loads neither phone rules nor country names; the first that needs them does", () => {
    const steps = run(`
      import { createRequire } from "node:module";
      import { normalize } from ${identity};
      const cache = createRequire(import.meta.url).cache;
      const loaded = () => ["libphonenumber", "i18n-iso-countries"].map((name) => Object.keys(cache).some((key) => key.includes(name)));
      const steps = [loaded()];
      normalize("em", "a@example.com"); normalize("ph", "+44 7911 123456"); normalize("country", "GB");
      normalize("ph", "07911 123456", { defaultCountry: "GB" });
      steps.push(loaded());
      normalize("ph", "+44 7911 123456 ext. 7");
      steps.push(loaded());
      normalize("country", "Deutschland");
      steps.push(loaded());
      console.log(JSON.stringify(steps));
    `);
    expect(steps).toEqual([
      [false, false],
      [false, false],
      [true, false],
      [true, true],
    ]);
  });

  it("without Node's modules the hash is the same, and phones and countries work once they are preloaded", () => {
    const outcome = run(`
      const { process, console } = globalThis;
      delete globalThis.process;
      const { hash, identityReady, normalize, preloadIdentity, sha256Hex } = await import(${identity});
      const tries = () => ["+44 7911 123456 ext. 7", "DEU"].map((value, at) => {
        try { return normalize(at === 0 ? "ph" : "country", value); } catch (error) { return error.code; }
      });
      const before = tries();
      const promise = identityReady() instanceof Promise;
      await preloadIdentity();
      const ready = identityReady() === undefined;
      console.log(JSON.stringify({ before, promise, ready, after: tries(), email: hash("em", "Person@Example.com"), sha: sha256Hex("") }));
    `);
    expect(outcome).toEqual({
      before: ["identity_data_missing", "identity_data_missing"],
      promise: true,
      ready: true,
      after: ["447911123456", "de"],
      email: "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345",
      sha: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    });
  });

  it("a package that cannot be found says what to do", async () => {
    const data = lazy(
      "no-such-package",
      () => "required",
      async () => "imported",
      () => createRequire(import.meta.url),
    );
    expect(data.ready()).toBe(false);
    expect(() => data.get()).toThrow(
      expect.objectContaining({
        code: "identity_data_missing",
        kind: "fix_configuration",
        message: expect.stringMatching(/no-such-package is not loaded/),
        fix: expect.stringMatching(/preloadIdentity/),
        details: { module: "no-such-package" },
      }),
    );
    await data.preload();
    expect([data.ready(), data.get()]).toEqual([true, "imported"]);
  });
});

describe("SHA-256", () => {
  it("is the same with and without node:crypto, for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(portableSha256Hex(text)).toBe(sha256Hex(text));
      }),
    );
    // A lone surrogate is no character: both write U+FFFD.
    expect(portableSha256Hex("\ud800")).toBe(sha256Hex("\ud800"));
  });
});
