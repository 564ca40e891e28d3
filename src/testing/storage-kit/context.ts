import assert from "node:assert/strict";
import type { Claim, DeadLetter, Group, MemberOp, NewEntry, Outbox, SegmentRef, Storage } from "../../storage/ports.ts";
import type { StorageKitOptions } from "./options.ts";

/** What a case works with: a fresh storage, a way to let time pass, and short names for what it needs often. */
export interface Context {
  storage: Storage;
  outbox: Outbox;
  options: StorageKitOptions;
  clock: "engine" | "test";
  /** A while: long against a call, short against the patience of whoever waits for the tests. */
  unit: number;
  /** Lets so many milliseconds pass for the storage, and some more. */
  pass(ms: number): Promise<void>;
  /** The storage as after a restart. Skips the case's rest where the storage cannot. */
  reopen(): Promise<void>;
  group(o?: Partial<Group>): Group;
  open(o?: Partial<Group>): Promise<Group>;
  /** Appends entries of one item and a few bytes by their ids. */
  append(group: Group, ids: string[], o?: Partial<NewEntry>): Promise<number[]>;
  claim(o?: Partial<Parameters<Outbox["claim"]>[0]>): Promise<Claim | undefined>;
  /** Claims, and fails the case if nothing is due. */
  take(o?: Partial<Parameters<Outbox["claim"]>[0]>): Promise<Claim>;
  /** Ids of everything that is due, in the order it comes, each claim settled. */
  drain(o?: Partial<Parameters<Outbox["claim"]>[0]>): Promise<string[]>;
  dead(destinationId?: string): Promise<DeadLetter[]>;
}

export const HOUR = 3_600_000;
export const LONG = 60_000;

export class Skip extends Error {}

/** Leaves the case: the storage does not claim what it is about. */
export function skip(reason: string): never {
  throw new Skip(reason);
}

/** Other processes. A storage that says it is shared has to be shown with them. */
export function spawnOf(t: Context): NonNullable<StorageKitOptions["spawn"]> {
  const { spawn } = t.options;
  if (spawn) return spawn;
  if (t.storage.capabilities.shared === "process") return skip("one process only");
  return assert.fail("a storage that is shared needs `spawn`");
}

/** The host's transactions. A storage that says it takes part in them has to be shown with them. */
export function transactionOf(t: Context): NonNullable<StorageKitOptions["transaction"]> {
  if (!t.storage.capabilities.transactions) skip("no transactions");
  return t.options.transaction ?? assert.fail("a storage with transactions needs `transaction`");
}

export function ids(claim: Claim | undefined): string[] {
  return claim?.entries.map((entry) => entry.id) ?? [];
}

export function bytes(...values: number[]): Uint8Array {
  return new Uint8Array(values);
}

export function assertBytes(actual: Uint8Array | undefined, expected: Uint8Array, message?: string): void {
  assert.equal(Buffer.from(actual ?? []).toString("hex"), Buffer.from(expected).toString("hex"), message);
}

/** Rejects with that code of the port's, `retryable` said. */
export async function assertFails(promise: Promise<unknown>, code: string): Promise<void> {
  const error = await promise.then(
    () => assert.fail(`expected ${code}, but the call succeeded`),
    (error: unknown) => error,
  );
  assert.ok(error instanceof Error, "what is thrown is an Error");
  assert.equal((error as { code?: unknown }).code, code, `code of: ${error.message}`);
  assert.equal(typeof (error as { retryable?: unknown }).retryable, "boolean", "`retryable` is said");
}

/** Texts that engines stumble over. Each is an id of its own. */
export const HOSTILE: readonly string[] = [
  "'; DROP TABLE entries; --",
  '"quoted" \\ back`tick`',
  "nul\0inside",
  "\x01control\x02\x1f",
  "\0",
  "\x01\x01",
  "line\nbreak\r\n",
  "{brace}:[bracket]*?",
  "%percent_under",
  "a/b/c~d",
  "__proto__",
  "constructor",
  "ünïcödé",
  "u\u0308nicode",
  "\u{10ffff}",
  "\uffff",
  "😀🏳️‍🌈",
  "שלום",
  " lead and trail ",
  "$1 :name @x ?",
  "é".repeat(100),
  "x".repeat(200),
];

const ENCODER = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return ENCODER.encode(text);
}

export const SEGMENT: SegmentRef = { tenantId: "t", destinationId: "d", link: "s" };

/** A hash of 32 bytes by a number. */
export function hash(number: number): Uint8Array {
  const value = new Uint8Array(32);
  new DataView(value.buffer).setUint32(0, Math.imul(number, 2_654_435_761) >>> 0);
  new DataView(value.buffer).setUint32(28, number);
  return value;
}

export function person(number: number): Uint8Array {
  const value = new Uint8Array(16);
  new DataView(value.buffer).setUint32(12, number + 1);
  return value;
}

export function add(hashNumber: number, position: number, who?: number): MemberOp {
  return {
    op: "add",
    kind: 0,
    hash: hash(hashNumber),
    position,
    ...(who === undefined ? {} : { person: person(who) }),
  };
}

export function remove(hashNumber: number, position: number, who?: number): MemberOp {
  return { ...add(hashNumber, position, who), op: "remove" };
}

export function bits(mask: Uint8Array, count: number): number[] {
  return Array.from({ length: count }, (_, index) => ((mask[index >> 3] ?? 0) >> (index & 7)) & 1);
}

/** A mask with every bit set. */
export function all(count: number): Uint8Array {
  return new Uint8Array((count + 7) >> 3).fill(255);
}

export async function createContext(
  options: StorageKitOptions,
  clock: "engine" | "test",
  unit: number,
): Promise<Context> {
  let now = Date.UTC(2026, 0, 1);
  const given = clock === "test" ? { clock: { now: () => now } } : {};
  const created = await options.create(given);
  const context: Context = {
    storage: created,
    outbox: created.outbox,
    options,
    clock,
    unit,
    async pass(ms) {
      if (clock === "test") now += ms;
      else await new Promise((resolve) => setTimeout(resolve, ms + 15));
    },
    async reopen() {
      if (!options.reopen) {
        if (context.storage.capabilities.durability === "none") skip("nothing survives this storage's process");
        assert.fail("a storage whose durability is not none needs `reopen`");
      }
      context.storage = await options.reopen(context.storage, given);
      context.outbox = context.storage.outbox;
    },
    group: (o = {}) => ({
      tenantId: "t",
      destinationId: "d",
      name: "events/p",
      exclusive: false,
      credentialId: "c",
      ...o,
    }),
    async open(o = {}) {
      const group = context.group(o);
      await context.outbox.open([group]);
      return group;
    },
    async append(group, entryIds, o = {}) {
      const entries = entryIds.map(
        (id): NewEntry => ({ id, group, priority: 0, items: 1, payload: utf8(`payload of ${id}`), ...o }),
      );
      return (await context.outbox.append(entries)).map((answer) => answer.position);
    },
    claim: (o = {}) =>
      context.outbox.claim({ owner: "kit", leaseMs: LONG, maxItems: 1_000, maxBytes: 10_000_000, ...o }),
    async take(o) {
      return (await context.claim(o)) ?? assert.fail("nothing is due");
    },
    async drain(o) {
      const found: string[] = [];
      for (let claim = await context.claim(o); claim; claim = await context.claim(o)) {
        found.push(...ids(claim));
        await context.outbox.settle(
          claim,
          claim.entries.map(({ id }) => ({ id })),
        );
      }
      return found;
    },
    async dead(destinationId = "d") {
      return (await context.outbox.dead.list({ destinationId, limit: 1_000 })).items;
    },
  };
  return context;
}
