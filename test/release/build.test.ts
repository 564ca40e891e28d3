import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOfInputs, isFresh, putInPlace, stamp } from "../../scripts/build.ts";

let root: string;
const at = (path: string) => join(root, path);
const put = (path: string, text: string) => {
  mkdirSync(at(path.replace(/\/[^/]+$/, "")), { recursive: true });
  writeFileSync(at(path), text);
};
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "build-"));
});
afterEach(() => rmSync(root, { recursive: true }));

describe("the build", () => {
  it("is done again for a changed, a renamed and a new source, and for nothing else", () => {
    put("src/a/one.ts", "1");
    const digest = () => digestOfInputs(root, ["src", "not-there.json"]);
    const seen = [digest()];
    put("other/two.ts", "2");
    expect(digest()).toBe(seen[0]);
    put("src/a/one.ts", "2");
    seen.push(digest());
    put("src/b.ts", "");
    seen.push(digest());
    rmSync(at("src/b.ts"));
    put("src/c.ts", "");
    seen.push(digest());
    expect(new Set(seen).size).toBe(seen.length);
  });

  it("takes one with declarations where none are wanted, and not the other way round", () => {
    mkdirSync(at("dist"));
    expect(isFresh(at("dist"), { inputs: "1", types: false })).toBe(false);
    stamp(at("dist"), { inputs: "1", types: false });
    expect(isFresh(at("dist"), { inputs: "1", types: false })).toBe(true);
    expect(isFresh(at("dist"), { inputs: "1", types: true })).toBe(false);
    stamp(at("dist"), { inputs: "1", types: true });
    expect(isFresh(at("dist"), { inputs: "1", types: false })).toBe(true);
    expect(isFresh(at("dist"), { inputs: "2", types: false })).toBe(false);
  });

  it("puts the new in the place of the old, whole, and leaves nothing behind", () => {
    const made = { inputs: "2", types: true };
    put("dist/gone.js", "old");
    put("next/index.js", "new");
    stamp(at("next"), made);
    putInPlace(at("next"), at("dist"), made);
    expect(readFileSync(at("dist/index.js"), "utf8")).toBe("new");
    expect(existsSync(at("dist/gone.js"))).toBe(false);
    expect(readdirSync(root)).toEqual(["dist"]);
  });

  it("does not touch what another process has put there meanwhile", () => {
    const made = { inputs: "2", types: false };
    put("dist/index.js", "theirs");
    stamp(at("dist"), made);
    put("next/index.js", "ours");
    stamp(at("next"), made);
    putInPlace(at("next"), at("dist"), made);
    expect(readFileSync(at("dist/index.js"), "utf8")).toBe("theirs");
    expect(readdirSync(root)).toEqual(["dist"]);
  });
});
