import assert from "node:assert/strict";
import type { Journal } from "../../../storage/ports.ts";
import { assertBytes, bytes, type Context, HOSTILE, LONG, skip, utf8 } from "../context.ts";
import { cases } from "./case.ts";

function port(t: Context): Journal {
  return t.storage.journal ?? skip("no journal port");
}

async function write(t: Context, ...lines: [text: string, ids: string[]][]): Promise<void> {
  await port(t).write(lines.map(([text, ids]) => ({ destinationId: "d", ids, data: utf8(text) })));
}

async function find(t: Context, o: Partial<Parameters<Journal["find"]>[0]> = {}): Promise<string[]> {
  const page = await port(t).find({ destinationId: "d", fromAgeMs: 0, toAgeMs: LONG, limit: 100, ...o });
  return page.items.map((item) => Buffer.from(item).toString());
}

export const journal = cases("journal", {
  "find answers lines newest first": async (t) => {
    await write(t, ["1", []], ["2", []]);
    await write(t, ["3", []]);
    assert.deepEqual(await find(t), ["3", "2", "1"]);
  },
  "find by id matches one of a line's ids exactly": async (t) => {
    await write(t, ["1", ["a", "b"]], ["2", ["b"]], ["3", ["ab"]], ["4", []]);
    assert.deepEqual(await find(t, { id: "b" }), ["2", "1"]);
    assert.deepEqual(await find(t, { id: "a" }), ["1"]);
    assert.deepEqual(await find(t, { id: "c" }), []);
  },
  "find keeps destinations apart": async (t) => {
    await write(t, ["1", ["a"]]);
    await port(t).write([{ destinationId: "d2", ids: ["a"], data: utf8("other") }]);
    assert.deepEqual(await find(t, { id: "a" }), ["1"]);
    assert.deepEqual(await find(t, { destinationId: "d2" }), ["other"]);
    assert.deepEqual(await find(t, { destinationId: "d3" }), []);
  },
  "find between two ages": async (t) => {
    await write(t, ["old", ["x"]]);
    await t.pass(2 * t.unit);
    await write(t, ["new", ["x"]]);
    for (const id of [{}, { id: "x" }]) {
      assert.deepEqual(await find(t, { ...id, fromAgeMs: 2 * t.unit - 1 }), ["old"]);
      assert.deepEqual(await find(t, { ...id, toAgeMs: 2 * t.unit - 1 }), ["new"]);
    }
  },
  "find pages": async (t) => {
    await write(t, ...Array.from({ length: 25 }, (_, index): [string, string[]] => [String(index), ["x"]]));
    for (const id of [{}, { id: "x" }]) {
      const found: string[] = [];
      let after: string | undefined;
      do {
        const page = await port(t).find({
          destinationId: "d",
          fromAgeMs: 0,
          toAgeMs: LONG,
          limit: 10,
          ...id,
          ...(after === undefined ? {} : { after }),
        });
        found.push(...page.items.map((item) => Buffer.from(item).toString()));
        after = page.after;
      } while (after !== undefined);
      assert.deepEqual(
        found,
        Array.from({ length: 25 }, (_, index) => String(24 - index)),
      );
    }
  },
  "data are bytes, ids any text": async (t) => {
    const data = Uint8Array.from({ length: 256 }, (_, index) => index);
    await port(t).write([{ destinationId: "d", ids: [...HOSTILE], data }]);
    for (const id of HOSTILE) {
      const page = await port(t).find({ destinationId: "d", id, fromAgeMs: 0, toAgeMs: LONG, limit: 1 });
      assertBytes(page.items[0], data);
    }
    await port(t).write([]);
    assertBytes((await port(t).find({ destinationId: "d", fromAgeMs: 0, toAgeMs: LONG, limit: 1 })).items[0], data);
    assert.ok(bytes());
  },
  "expire removes lines of that age, and answers false until none is left": async (t) => {
    await write(t, ["1", ["x"]], ["2", ["x"]], ["3", ["x"]]);
    await t.pass(2 * t.unit);
    await write(t, ["young", ["x"]]);
    assert.equal(await port(t).expire(2 * t.unit - 1, { limit: 2 }), false);
    while (!(await port(t).expire(2 * t.unit - 1, { limit: 2 })));
    assert.deepEqual(await find(t), ["young"]);
    assert.deepEqual(await find(t, { id: "x" }), ["young"]);
  },
  "lines survive a restart": async (t) => {
    await write(t, ["1", ["a"]]);
    await t.reopen();
    assert.deepEqual(await find(t, { id: "a" }), ["1"]);
  },
});
