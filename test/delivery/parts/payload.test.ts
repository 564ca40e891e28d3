import { describe, expect, it } from "vitest";
import type { EventItem, MemberItem } from "../../../src/delivery/index.ts";
import {
  decodeEvents,
  decodeMembers,
  encodeEvents,
  encodeMembers,
  eventBytes,
  isKnownFormat,
  memberBytes,
  openPayload,
  payloadAad,
  type StoredEvent,
  type StoredMember,
  sealPayload,
  storedMembers,
} from "../../../src/delivery/payload.ts";
import { event, hashOf, member } from "../support.ts";

const PLAIN: StoredEvent = {
  json: '{"note":"München 🎿"}',
  eventId: "e-1",
  eventName: "PURCHASE",
  eventTime: 1_767_225_600,
  acceptedAtMs: 1_767_225_600_123,
  subjects: ["s-1", "s-2"],
  orderId: undefined,
  maxAgeMs: undefined,
  validateOnly: false,
  testEventCode: undefined,
  doubtMs: undefined,
  rule: undefined,
};
const bytes = (length: number, value: number) => new Uint8Array(length).fill(value);
const textOf = (content: Uint8Array) => Buffer.from(content).toString("utf8");
const bits = (content: Uint8Array) => Array.from(content);

/** As an engine gives it: somewhere in a larger buffer. */
function within(content: Uint8Array): Uint8Array {
  const larger = new Uint8Array(content.length + 30).fill(120);
  larger.set(content, 17);
  return larger.subarray(17, 17 + content.length);
}

describe("events in an entry", () => {
  it("stand as rows of what is known of them, and their texts one after the other", () => {
    const more: Partial<StoredEvent>[] = [
      {},
      { orderId: "o-1" },
      { maxAgeMs: 700 },
      { validateOnly: true },
      { testEventCode: "T" },
      { doubtMs: 5.6 },
      { rule: "r-1" },
    ];
    const content = encodeEvents(more.map((one, n) => ({ ...PLAIN, json: "x".repeat(n + 1), ...one })));
    const row = (length: number, of = "") =>
      `[${length},"e-1","PURCHASE",1767225600,1767225600123,["s-1","s-2"]${of && `,{${of}}`}]`;
    const rows = ["", '"o":"o-1"', '"a":700', '"v":1', '"t":"T"', '"d":6', '"r":"r-1"'].map((of, n) => row(n + 1, of));
    expect(textOf(content)).toBe(`[${rows.join()}]\n${"x".repeat(28)}`);
  });

  it("come back as they were, from anywhere in a buffer", () => {
    const full = {
      ...{ ...PLAIN, json: "{}", eventId: "e-ü", orderId: "o-1", maxAgeMs: 700, validateOnly: true },
      ...{ testEventCode: "T1", doubtMs: 5, rule: "r-1" },
    };
    for (const events of [[PLAIN], [full], [PLAIN, full, PLAIN], []]) {
      expect(decodeEvents(within(encodeEvents(events)))).toEqual(events);
    }
  });

  it.each<[string, Partial<EventItem>]>([
    ["with letters of two and three bytes", { json: JSON.stringify({ text: "ЖЖЖ漢字漢字".repeat(500) }) }],
    ["with long ids", { eventId: "e".repeat(200), orderId: "ü".repeat(200), rule: '"'.repeat(90), testEventCode: "T" }],
    ["about many people", { subjects: Array.from({ length: 40 }, (_, n) => `${n}`.padStart(43, "s")) }],
    ["with nothing", { json: "", eventId: "", eventName: "", subjects: [] }],
  ])("take no more bytes than is counted for them, and few fewer: %s", (_, more) => {
    const stored = { ...event(1), maxAgeMs: 37 * 86_400_000, validateOnly: true, doubtMs: 2_000_000_000, ...more };
    const taken = encodeEvents([stored]).length;
    expect(eventBytes(stored)).toBeGreaterThanOrEqual(taken);
    expect(eventBytes(stored)).toBeLessThan(taken + 100);
  });
});

describe("changes of membership in an entry", () => {
  const MEMBER: StoredMember = {
    op: "add",
    identifiers: [{ kind: 0, hash: bytes(32, 1) }],
    person: bytes(16, 2),
    subjects: ["s-1"],
    acceptedAtMs: 1_767_225_600_123,
    eventId: "e-1",
  };
  const MANY: StoredMember[] = [
    MEMBER,
    { ...MEMBER, op: "remove", identifiers: [], eventId: undefined },
    {
      ...{ ...MEMBER, op: "assert", person: undefined, subjects: [], eventId: undefined },
      identifiers: ([2, 1, 0] as const).map((kind) => ({ kind, hash: bytes(32, 7 + kind) })),
    },
  ];

  it("stand as rows, then the hashes and the person of each", () => {
    const content = encodeMembers(MANY);
    const rows =
      '[[0,"0",1,1767225600123,["s-1"],"e-1"],[1,"",1,1767225600123,["s-1"]],[2,"210",0,1767225600123,[]]]\n';
    expect(textOf(content.subarray(0, rows.length))).toBe(rows);
    const parts = [bytes(32, 1), bytes(16, 2), bytes(16, 2), bytes(32, 9), bytes(32, 8), bytes(32, 7)];
    expect(bits(content.subarray(rows.length))).toEqual(bits(Buffer.concat(parts)));
  });

  it("come back as they were, from anywhere in a buffer", () => {
    for (const members of [MANY, [...MANY].reverse(), []]) {
      expect(decodeMembers(within(encodeMembers(members)))).toEqual(members);
    }
  });

  it("say the same of every key of the person; the host's event stands with the first", () => {
    const others = [bytes(16, 8), bytes(16, 9)];
    const item = member(3, "remove", { alsoPersons: others, eventId: "e-3" });
    const identifiers = [{ kind: 0, hash: Buffer.from(hashOf(3), "hex") }];
    const said = { op: "remove", identifiers, subjects: ["subject-3"], acceptedAtMs: item.acceptedAtMs };
    expect(storedMembers(item)).toEqual([
      { ...said, person: item.person, eventId: "e-3" },
      { ...said, person: others[0], eventId: undefined },
      { ...said, person: others[1], eventId: undefined },
    ]);
    const asBytes = bytes(32, 5);
    expect(storedMembers(member(3, "add", { identifiers: [{ kind: 1, hash: asBytes }] }))).toMatchObject([
      { op: "add", identifiers: [{ kind: 1, hash: asBytes }] },
    ]);
  });

  it.each([
    [bytes(31, 1), 31],
    [bytes(33, 1), 33],
    [hashOf(1).slice(2), 31],
    ["", 0],
  ])("are refused where an identifier is no digest: %#", (hash, length) => {
    expect(() => storedMembers(member(1, "add", { identifiers: [{ kind: 0, hash }] }))).toThrow(
      expect.objectContaining({
        code: "identifier_invalid",
        kind: "fix_data",
        message: `An identifier has ${length} bytes instead of 32.`,
        fix: "Pass SHA-256 digests: 32 bytes, or 64 hexadecimal characters.",
      }),
    );
  });

  it.each<[string, Partial<MemberItem>]>([
    ["one identifier", {}],
    ["the host's id is long", { eventId: "ü".repeat(100) }],
    [
      "several identifiers and keys",
      { identifiers: Array(30).fill({ kind: 2, hash: hashOf(1) }), subjects: ["s", "t"] },
    ],
    ["several keys", { alsoPersons: [bytes(16, 8), bytes(16, 9)] }],
  ])("take no more bytes than is counted for them, and few fewer: %s", (_, more) => {
    const item = member(1, "remove", more);
    const rows = storedMembers(item);
    const taken = encodeMembers(rows).length;
    expect(memberBytes(item)).toBeGreaterThanOrEqual(taken);
    expect(memberBytes(item)).toBeLessThan(taken + rows.length * 32);
  });
});

describe("a payload", () => {
  const content = Uint8Array.of(5, 6, 7);
  const sealer = {
    seal: (plain: Uint8Array, aad: string) => Buffer.concat([Buffer.from(aad), plain]),
    open: (sealed: Uint8Array, aad: string) => sealed.subarray(aad.length),
  };
  const later = {
    seal: async (plain: Uint8Array, aad: string) => sealer.seal(plain, aad),
    open: async (sealed: Uint8Array, aad: string) => sealer.open(sealed, aad),
  };

  it("says in its head whether it is sealed", async () => {
    expect(bits(await sealPayload(content, "ab", undefined))).toEqual([1, 0, 5, 6, 7]);
    for (const one of [sealer, later]) {
      expect(bits(await sealPayload(content, "ab", one))).toEqual([1, 1, 97, 98, 5, 6, 7]);
      expect(bits(await openPayload(Uint8Array.of(1, 1, 97, 98, 5), "ab", one))).toEqual([5]);
      expect(bits(await openPayload(Uint8Array.of(1, 0, 5, 6), "ab", one))).toEqual([5, 6]);
    }
    expect(bits(await openPayload(Uint8Array.of(1, 0, 5, 6), "ab", undefined))).toEqual([5, 6]);
  });

  it("that is sealed does not open without keys", async () => {
    await expect(openPayload(Uint8Array.of(1, 1, 5), "ab", undefined)).rejects.toMatchObject({
      code: "payload_unreadable",
      kind: "fix_configuration",
      message: "A stored entry does not open: it is sealed, and this instance has no keys.",
      fix: "Give the instance every key that sealed what is stored; the entry waits until then.",
    });
  });

  it.each([
    [[1, 0], true],
    [[1, 1], true],
    [[1, 2], false],
    [[2, 0], false],
    [[1], false],
    [[], false],
  ])("%j is known: %s", (head, known) => expect(isKnownFormat(Uint8Array.from(head))).toBe(known));

  it("belongs to one place", () => {
    expect(payloadAad("acme/de", "d/1", "events/p 1")).toBe("acme%2Fde/d%2F1/outbox/events%2Fp%201");
  });
});
