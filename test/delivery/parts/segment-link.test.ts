import { describe, expect, it } from "vitest";
import {
  changeSegmentLink,
  readSegmentLink,
  type SegmentLink,
  segmentGroup,
  segmentLinkId,
  segmentLinkKey,
  segmentLinks,
  segmentMarker,
  writeSegmentLink,
} from "../../../src/delivery/segment-link.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import type { Records } from "../../../src/storage/ports.ts";
import { altered } from "../support.ts";

const VIP = { tenantId: "acme", destinationId: "d1", link: "vip" };
const link: SegmentLink = { key: "vip", name: "VIP – München", adAccountId: "a1", state: "new", generation: 1 };

async function stored(): Promise<Records> {
  const { records } = memory();
  await writeSegmentLink(records, VIP, link, 0);
  return records;
}

describe("a segment's link", () => {
  it("comes back as it was written, with its version", async () => {
    const records = await stored();
    const read = await readSegmentLink(records, VIP);
    expect(read).toEqual({ link, version: expect.any(Number) });
    await writeSegmentLink(records, VIP, { ...link, name: "other" }, read?.version ?? -1);
    expect((await readSegmentLink(records, VIP))?.link.name).toBe("other");
    await expect(writeSegmentLink(records, VIP, link, read?.version ?? -1)).rejects.toMatchObject({
      code: "version_conflict",
    });
  });

  it("is nobody else's, and unknown where a newer version wrote it", async () => {
    const records = await stored();
    for (const other of [{ tenantId: "b" }, { destinationId: "d2" }, { link: "other" }]) {
      expect(await readSegmentLink(records, { ...VIP, ...other })).toBeUndefined();
    }
    await records.put(segmentLinkKey(VIP), Buffer.from(`\u0002${JSON.stringify(link)}`));
    expect(await readSegmentLink(records, VIP)).toBeUndefined();
  });

  it("is kept under what it belongs to, whatever is in the names", () => {
    expect(segmentLinkKey({ tenantId: "a/b", destinationId: "d 1", link: "vip/ü" })).toBe(
      "segment/a%2Fb/d%201/vip%2F%C3%BC",
    );
  });

  it("opens a group of its own that one worker has at a time", () => {
    expect(segmentGroup(VIP, "oauth/acme/c1")).toEqual({
      tenantId: "acme",
      destinationId: "d1",
      name: "members/vip",
      exclusive: true,
      credentialId: "oauth/acme/c1",
    });
  });

  it("has the CDP's key as its id, or a digest where that is long", () => {
    expect(segmentLinkId("ü".repeat(60))).toBe("ü".repeat(60));
    expect(segmentLinkId("x".repeat(121))).toMatch(/^sha256-[0-9a-f]{64}$/);
    expect(segmentLinkId(`${"ü".repeat(60)}x`)).toMatch(/^sha256-/);
    expect(segmentLinkId("x".repeat(121))).not.toBe(segmentLinkId("y".repeat(121)));
  });
});

describe("the marker of a segment", () => {
  it("is one for each segment of each tenant, and each time it is made anew", () => {
    const markers = [
      segmentMarker(VIP, link),
      segmentMarker({ ...VIP, tenantId: "b" }, link),
      segmentMarker({ ...VIP, destinationId: "d2" }, link),
      segmentMarker({ ...VIP, link: "other" }, link),
      segmentMarker(VIP, { ...link, generation: 2 }),
    ];
    expect(new Set(markers).size).toBe(5);
    for (const marker of markers) expect(marker).toMatch(/^cdp:vip#[0-9a-f]{16}$/);
    expect(segmentMarker(VIP, { ...link, name: "another", state: "ready" })).toBe(markers[0]);
  });

  it("names the key, as much of it as a description has room for", () => {
    expect(segmentMarker(VIP, { ...link, key: "k".repeat(101) })).toMatch(/^cdp:k{100}#/);
  });
});

describe("a change of a link", () => {
  it("is stored and answered", async () => {
    const records = await stored();
    expect(await changeSegmentLink(records, VIP, (before) => ({ ...before, name: "n" }))).toEqual({
      ...link,
      name: "n",
    });
    expect((await readSegmentLink(records, VIP))?.link.name).toBe("n");
  });

  it("that changes nothing writes nothing, and of no link there is none", async () => {
    const records = await stored();
    const before = await readSegmentLink(records, VIP);
    expect(await changeSegmentLink(records, VIP, (same) => same)).toEqual(link);
    expect(await readSegmentLink(records, VIP)).toEqual(before);
    const change = () => {
      throw new Error("not asked");
    };
    expect(await changeSegmentLink(records, { ...VIP, link: "none" }, change)).toBeUndefined();
  });

  it("keeps what others changed at the same time", async () => {
    const records = await stored();
    let others = 2;
    const beaten = altered(records, {
      async put(...of: Parameters<Records["put"]>) {
        if (others-- > 0) {
          await changeSegmentLink(records, VIP, (now) => ({ ...now, description: `${now.description ?? ""}x` }));
        }
        return records.put(...of);
      },
    });
    await changeSegmentLink(beaten, VIP, (before) => ({ ...before, name: "n" }));
    expect((await readSegmentLink(records, VIP))?.link).toMatchObject({ name: "n", description: "xx" });
  });

  it("fails where the engine does", async () => {
    const records = await stored();
    const failing = altered(records, {
      put: async () => Promise.reject(Object.assign(new Error("no"), { code: "unavailable", retryable: true })),
    });
    await expect(changeSegmentLink(failing, VIP, (before) => ({ ...before }))).rejects.toThrow("no");
  });
});

describe("all links", () => {
  async function all(records: Records, prefix?: string): Promise<string[]> {
    const found: string[] = [];
    for await (const { ref } of segmentLinks(records, prefix)) found.push(Object.values(ref).join(" "));
    return found;
  }

  it("are found with what they belong to, and nothing else is", async () => {
    const { records } = memory();
    await records.put("other", Buffer.of(1));
    await records.put("segment/acme/d1/newer", Buffer.from("\u0002{}"));
    expect(await all(records)).toEqual([]);
    for (const ref of [VIP, { tenantId: "a/b", destinationId: "d 2", link: "ü/vip" }]) {
      await writeSegmentLink(records, ref, link, 0);
    }
    expect(await all(records)).toEqual(["a/b d 2 ü/vip", "acme d1 vip"]);
    expect(await all(records, "segment/acme/")).toEqual(["acme d1 vip"]);
    for await (const found of segmentLinks(records, "segment/acme/")) expect(found).toEqual({ ref: VIP, link });
  });

  it.each([499, 500, 501, 1_000])("are found, %i as well", async (count) => {
    const { records } = memory();
    const put = (n: number) => writeSegmentLink(records, { ...VIP, link: String(n).padStart(4, "0") }, link, 0);
    await Promise.all(Array.from({ length: count }, (_, n) => put(n)));
    const found = await all(records);
    expect([found.length, found.at(-1)]).toEqual([count, `acme d1 ${String(count - 1).padStart(4, "0")}`]);
  });
});
