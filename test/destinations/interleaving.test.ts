import { describe, expect, it } from "vitest";
import { createWorld, PIXEL, PIXEL_2, type World } from "./fakes/world.ts";

/** Two processes on one storage. */
async function twoProcesses() {
  const here = createWorld();
  const there = createWorld(here);
  const { id } = await here.enabledShop();
  return { here, there, id };
}

/** Runs `meanwhile` once, right before the next write of a key that starts so. */
function beforeWriteOf(world: World, start: string, meanwhile: () => Promise<unknown>): void {
  let done = false;
  world.records.beforeWrite = async (key) => {
    if (done || !key.startsWith(start)) return;
    done = true;
    await meanwhile();
  };
}

describe("two processes changing one destination", () => {
  it("leave the queue as the record says, whoever applies last", async () => {
    const { here, there, id } = await twoProcesses();
    let done = false;
    here.queue.beforeCommand = async (command) => {
      if (done || command !== "pause") return;
      done = true;
      await there.destinations.update("acme", id, { serverSide: true });
    };
    await here.destinations.update("acme", id, { serverSide: false });
    expect(await here.destinations.get("acme", id)).toMatchObject({ serverSide: true });
    expect(here.queue.reasons(id, `events/${PIXEL}`)).toEqual([]);
  });

  it("open a new pixel's group before the record names it", async () => {
    const { here, id } = await twoProcesses();
    let opened: boolean | undefined;
    beforeWriteOf(here, `destination/acme/${id}`, async () => {
      opened = here.queue.groups.has(`${id} events/${PIXEL_2}`);
    });
    await here.destinations.update("acme", id, { adAccountId: null, pixelId: PIXEL_2 });
    expect(opened).toBe(true);
  });

  it("do not remove a token that the other is saving", async () => {
    const { here, there, id } = await twoProcesses();
    beforeWriteOf(here, `destination/acme/${id}`, () => there.destinations.rename("acme", id, "New name"));
    await here.destinations.update("acme", id, { conversionsToken: "second-token-canary" });
    expect(await here.destinations.get("acme", id)).toMatchObject({ name: "New name" });
    const [group] = here.queue.groups.values();
    const n = Number(group?.credentialId.split("/").at(-1));
    expect((await here.destinations.conversionsToken("acme", id, n))?.reveal()).toBe("second-token-canary");
  });

  it("end with the last token where both save one", async () => {
    const { here, there, id } = await twoProcesses();
    beforeWriteOf(here, `destination/acme/${id}`, () =>
      there.destinations.update("acme", id, { conversionsToken: "their-token-canary" }),
    );
    await here.destinations.update("acme", id, { conversionsToken: "my-token-canary-1" });
    const [group] = here.queue.groups.values();
    const n = Number(group?.credentialId.split("/").at(-1));
    expect((await here.destinations.conversionsToken("acme", id, n))?.reveal()).toBe("my-token-canary-1");
  });

  it("may both delete it", async () => {
    const { here, there, id } = await twoProcesses();
    const done = await Promise.allSettled([
      here.destinations.delete("acme", id),
      there.destinations.delete("acme", id),
    ]);
    expect(done.some(({ status }) => status === "fulfilled")).toBe(true);
    for (const result of done)
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "not_found" });
    expect([...here.records.rows.keys()].filter((key) => /^(destination|secret|pending)/.test(key))).toEqual([]);
  });
});

describe("a storage that is busy", () => {
  it("is waited for, and a write that was stored although its answer was lost is no conflict", async () => {
    const { here, id } = await twoProcesses();
    const put = here.records.put.bind(here.records);
    const busy = (message: string) => Object.assign(new Error(message), { code: "unavailable", retryable: true });
    let lost = 0;
    here.records.put = async (key, value, o) => {
      if (!key.startsWith("destination/")) return put(key, value, o);
      lost++;
      if (lost === 1) throw busy("before");
      if (lost > 2) return put(key, value, o);
      await put(key, value, o);
      throw busy("after");
    };
    const before = await here.destinations.get("acme", id);
    const after = await here.destinations.update("acme", id, { name: "New" }, { expectedVersion: before.version });
    expect(after.name).toBe("New");
    expect(
      (await here.context.audit.list("acme")).items.filter(({ detail }) => detail.changed === "name"),
    ).toHaveLength(1);
  });

  it("is given up on in the end, with a code to try again by", async () => {
    const { here, id } = await twoProcesses();
    here.records.get = async () => {
      throw Object.assign(new Error("down"), { code: "unavailable", retryable: true });
    };
    await expect(here.destinations.rename("acme", id, "x")).rejects.toMatchObject({
      code: "storage_unavailable",
      kind: "retry",
    });
  });
});
