import { describe, expect, it } from "vitest";
import { decodeList, encodeList, isList, type ListPayload } from "../../../src/delivery/list-payload.ts";
import { encodeMembers } from "../../../src/delivery/payload.ts";

const bytes = (count: number, size: number) => Uint8Array.from({ length: count * size }, (_, at) => at % 251);
const page = { type: "page" as const, op: "hold" as const, kind: 2 as const, acceptedAtMs: 1_767_225_600_000 };

describe("what a whole list queues", () => {
  it.each<[string, ListPayload]>([
    ["a task", { type: "task", task: "sweep", from: undefined }],
    ["a task about another link", { type: "task", task: "copy", from: "vip, München" }],
    ["a page that names nobody", { ...page, hashes: bytes(3, 32), persons: undefined }],
    ["a page that names each", { ...page, hashes: bytes(3, 32), persons: bytes(3, 16) }],
    ["a page with nothing on it", { ...page, hashes: bytes(0, 32), persons: undefined }],
  ])("%s comes back as it was, wherever the bytes lie", (_, payload) => {
    const content = encodeList(payload);
    expect(isList(content)).toBe(true);
    const inside = new Uint8Array(content.length + 50).fill(10);
    inside.set(content, 20);
    const back = decodeList(inside.subarray(20, 20 + content.length));
    expect(plain(back)).toEqual(plain(payload));
  });

  it("is told from single changes", () => {
    expect(isList(encodeMembers([]))).toBe(false);
    expect(isList(new Uint8Array())).toBe(false);
  });
});

/** Bytes by what they hold, whether they came as a Buffer or not. */
function plain(payload: ListPayload) {
  if (payload.type === "task") return payload;
  return { ...payload, hashes: [...payload.hashes], persons: payload.persons && [...payload.persons] };
}
