import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { reasonsPage } from "../../scripts/generate-reasons.ts";
import { REASON_SECTIONS } from "../../src/snapchat/reasons.ts";

const root = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");

/** Rooms that put a reason on a receipt, and how they write it. */
const ROOMS = ["src/rules", "src/snapchat", "src/capi", "src/delivery"];
const WRITTEN = [
  /\b(?:because|wholePart|refuse|rejected|skipped|paused|later|bury|pausedAll|retryAll)\((?:[^()"]*, )*"(?:skipped|rejected|duplicate)"?,? ?"?([a-z_]+)"/g,
  /\b(?:rejected|skipped|paused)\("([a-z_]+)"\)/g,
  /\breason: "([a-z_]+)"/g,
];

/** Reasons that are on something else than a receipt. */
const ELSEWHERE = ["event_renamed", "event_missing", "unknown_format", "payload_unreadable"];

describe("docs/reasons.md", () => {
  it("says what the code does; run `node scripts/generate-reasons.ts` where it does not", () => {
    expect(read("docs/reasons.md")).toBe(reasonsPage());
  });

  it("has every reason that the source writes on a receipt", () => {
    const listed = new Set(REASON_SECTIONS.flatMap(({ reasons }) => Object.keys(reasons)));
    const written = new Set<string>();
    for (const room of ROOMS) {
      for (const file of readdirSync(new URL(room, root), { recursive: true, encoding: "utf8" })) {
        if (!file.endsWith(".ts")) continue;
        const text = read(`${room}/${file}`);
        for (const pattern of WRITTEN) for (const [, reason = ""] of text.matchAll(pattern)) written.add(reason);
      }
    }
    expect(written.size).toBeGreaterThan(25);
    expect([...written].filter((reason) => !listed.has(reason) && !ELSEWHERE.includes(reason))).toEqual([]);
  });

  it("lists each reason once, with what happened and what to do", () => {
    const all = REASON_SECTIONS.flatMap(({ reasons }) => Object.entries(reasons));
    expect(new Set(all.map(([code]) => code)).size).toBe(all.length);
    for (const [code, { message, fix }] of all) expect(`${message} ${fix}`, code).toMatch(/^[A-Z`].*[.!;]/s);
  });
});
