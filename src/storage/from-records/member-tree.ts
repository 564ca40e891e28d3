import { versionConflict } from "../errors.ts";
import { hashKey } from "../member-rules.ts";
import type { MemberOp, Record_, Records } from "../ports.ts";
import { decode, encode } from "./codec.ts";
import { each } from "./group-store.ts";
import { keys, newToken } from "./keys.ts";
import { type Block, bitOf, decodeBlock, encodeBlock, type HashRows, ROW_BYTES, rowsIn } from "./member-block.ts";
import { isConflict } from "./retry.ts";

/** A block of rows: which bits its hashes begin with, and what is in it. */
export interface Leaf {
  depth: number;
  key: string;
  version: number;
  fence: number;
  hashes: Map<string, HashRows>;
}

/** Blocks aim at this size: larger ones cost more a change, smaller ones more records. */
const BLOCK_BYTES = 128 * 1024;

/**
 * The members of one segment as blocks sorted by hash: a tree whose block is split in two when it is full. Hashes are
 * digests, so halves come out even. A split writes both halves under new keys, then points to them by compare-and-set.
 */
export function createMemberTree(records: Records, sid: string, maxValueBytes: number) {
  const maxRows = Math.floor(Math.min(maxValueBytes, BLOCK_BYTES) / ROW_BYTES) - 1;
  const root = keys.block(sid, "root");
  const child = (token: string, half: 0 | 1) => keys.block(sid, `${token}${half}`);

  async function load(key: string): Promise<{ block: Block; version: number }> {
    const record = await records.get(key);
    if (!record) return { block: { fence: 0, hashes: new Map() }, version: 0 };
    return { block: decodeBlock(record.value, hashKey), version: record.version };
  }

  /** The block a hash is in, found from the root on or from a block that was split. */
  async function leafOf(hash: Uint8Array, from = { key: root, depth: 0 }): Promise<Leaf> {
    let { key, depth } = from;
    for (;;) {
      const { block, version } = await load(key);
      if (!("halves" in block)) return { depth, key, version, ...block };
      key = child(block.halves, bitOf(hash, depth));
      depth++;
    }
  }

  /** Operations by the block their hash is in. Blocks are read once. */
  async function leavesOf(ops: readonly MemberOp[]): Promise<{ leaf: Leaf; indexes: number[] }[]> {
    const found: { leaf: Leaf; indexes: number[] }[] = [];
    async function down(key: string, depth: number, indexes: number[]): Promise<void> {
      if (indexes.length === 0) return;
      const { block, version } = await load(key);
      if (!("halves" in block)) {
        found.push({ leaf: { depth, key, version, ...block }, indexes });
        return;
      }
      const halves: [number[], number[]] = [[], []];
      for (const index of indexes) halves[bitOf((ops[index] as MemberOp).hash, depth)].push(index);
      await each(2, (half) => down(child(block.halves, half as 0 | 1), depth + 1, halves[half as 0 | 1]));
    }
    await down(
      root,
      0,
      ops.map((_, index) => index),
    );
    return found;
  }

  /** Every block, in the order of hashes; from the one that holds `from` on. */
  async function* leaves(from?: Uint8Array): AsyncGenerator<Leaf> {
    const stack: { key: string; depth: number; within: boolean }[] = [{ key: root, depth: 0, within: true }];
    for (let next = stack.pop(); next; next = stack.pop()) {
      const { block, version } = await load(next.key);
      if (!("halves" in block)) {
        yield { depth: next.depth, key: next.key, version, ...block };
        continue;
      }
      const { depth } = next;
      const begin = from && next.within ? bitOf(from, depth) : 0;
      const on = from !== undefined && next.within;
      stack.push({ key: child(block.halves, 1), depth: depth + 1, within: on && begin === 1 });
      if (begin === 0) stack.push({ key: child(block.halves, 0), depth: depth + 1, within: on });
    }
  }

  /**
   * Changes blocks one by one, each by compare-and-set; `apply` gets a block's rows and the indexes of its operations.
   * `false`: a higher fence has been here.
   */
  async function change(
    ops: readonly MemberOp[],
    fence: number,
    apply: (hashes: Map<string, HashRows>, indexes: readonly number[]) => void,
  ): Promise<boolean> {
    const parts = await leavesOf(ops);
    const done = await each(parts.length, async (index) => {
      const part = parts[index] as (typeof parts)[number];
      return changeLeaf(part.leaf, part.indexes);
    });
    return !done.includes(false);

    async function changeLeaf(leaf: Leaf, indexes: readonly number[]): Promise<boolean> {
      if (leaf.fence > fence) return false;
      apply(leaf.hashes, indexes);
      try {
        await store(leaf, fence);
        return true;
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
      // Changed meanwhile, perhaps split: what belongs here is looked up again.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      return change(
        indexes.map((index) => ops[index] as MemberOp),
        fence,
        renumbered(indexes),
      );
    }

    function renumbered(indexes: readonly number[]) {
      return (hashes: Map<string, HashRows>, own: readonly number[]) =>
        apply(
          hashes,
          own.map((index) => indexes[index] as number),
        );
    }
  }

  async function store(leaf: Pick<Leaf, "key" | "depth" | "version" | "hashes">, fence: number): Promise<void> {
    const { key, version } = leaf;
    if (rowsIn(leaf.hashes) <= maxRows || leaf.hashes.size < 2) {
      await records.put(key, encodeBlock({ fence, hashes: leaf.hashes }), { ifVersion: version });
      return;
    }
    const began = performance.now();
    const token = newToken();
    const intent = `${keys.splitsOf(sid)}${token}`;
    await records.put(intent, encode({ key, token, at: await records.now() } satisfies Split));
    try {
      await writeHalves(leaf.hashes, leaf.depth, fence, token);
      // After an hour it may be taken for one that never came to its end.
      if (performance.now() - began > SPLIT_MS / 4) throw versionConflict(key, version, 0);
      await records.put(key, encodeBlock({ halves: token }), { ifVersion: version });
    } catch (error) {
      if (isConflict(error)) {
        const { block } = await load(key);
        // Unless the write was carried out after all, and the conflict is its own repetition.
        if (!("halves" in block) || block.halves !== token) await removeHalves(records, sid, token);
        await records.delete(intent);
      }
      throw error;
    }
    await records.delete(intent);
  }

  async function writeHalves(hashes: Map<string, HashRows>, depth: number, fence: number, path: string): Promise<void> {
    const halves = [new Map<string, HashRows>(), new Map<string, HashRows>()] as const;
    for (const [key, one] of hashes) halves[bitOf(one.hash, depth)].set(key, one);
    for (const half of [0, 1] as const) {
      const own = halves[half];
      const key = child(path, half);
      if (rowsIn(own) <= maxRows || own.size < 2) {
        await records.put(key, encodeBlock({ fence, hashes: own }));
        continue;
      }
      await writeHalves(own, depth + 1, fence, `${path}${half}`);
      await records.put(key, encodeBlock({ halves: `${path}${half}` }));
    }
  }

  /** Writes a block back after rows were taken out of it; a conflict leaves it as it is. */
  async function rewrite(leaf: Leaf): Promise<boolean> {
    try {
      const block = { fence: leaf.fence, hashes: leaf.hashes };
      await records.put(leaf.key, encodeBlock(block), { ifVersion: leaf.version });
      return true;
    } catch (error) {
      if (!isConflict(error)) throw error;
      return false;
    }
  }

  async function drop(): Promise<void> {
    await removeAll(records, keys.blocksOf(sid));
    await removeAll(records, keys.splitsOf(sid));
  }

  return { leafOf, leavesOf, leaves, change, rewrite, drop };
}

interface Split {
  key: string;
  token: string;
  at: number;
}

/** A split that began longer ago than this came to no end. */
const SPLIT_MS = 3_600_000;

/** Removes what splits left behind whose process ended in the middle. */
export async function removeBrokenSplits(records: Records): Promise<void> {
  const now = await records.now();
  for (const { key, value } of await records.list(keys.splits, { limit: 100 })) {
    const split = decode<Split>(value);
    if (now - split.at < SPLIT_MS) continue;
    const parent = await records.get(split.key);
    const block = parent && decodeBlock(parent.value, hashKey);
    const sid = key.slice(keys.splits.length, key.lastIndexOf("/"));
    if (!block || !("halves" in block) || block.halves !== split.token) await removeHalves(records, sid, split.token);
    await records.delete(key);
  }
}

const removeHalves = (records: Records, sid: string, token: string) => removeAll(records, keys.block(sid, token));

async function removeAll(records: Records, prefix: string): Promise<void> {
  let page: Record_[];
  do {
    page = await records.list(prefix, { limit: 50 });
    await each(page.length, (index) => records.delete(page[index]?.key ?? ""));
  } while (page.length > 0);
}
