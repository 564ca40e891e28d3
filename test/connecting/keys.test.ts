import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSnapchat, type SnapchatOptions } from "snapchat-destination";
import { memory } from "snapchat-destination/memory";
import { sqlite } from "snapchat-destination/sqlite";
import type { Simulator } from "snapchat-destination/testing";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { envelopeKeys, type Kms, type WrappedKeys } from "../../examples/keys/envelope.ts";
import { openSnapchat, purchase, shopWorkflow, signIn } from "../snapchat/shop.ts";

const folder = mkdtempSync(join(tmpdir(), "keys-"));
afterAll(() => rmSync(folder, { recursive: true }));

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const newKey = () => randomBytes(32).toString("base64");

/** The host, started again and again with other settings. */
async function host(first: Partial<SnapchatOptions>) {
  const { simulator, snapchat } = await openSnapchat(first);
  closing.push(() => simulator.close());
  const { clientId, clientSecret } = simulator.world;
  const start = (options: Partial<SnapchatOptions>) => {
    const next = createSnapchat({
      app: { clientId, clientSecret, redirectUri: "http://127.0.0.1:8080/snapchat/callback" },
      storage: memory(),
      acceptLoss: true,
      endpoints: simulator.endpoints,
      allowEndpoints: [simulator.url],
      delivery: { lingerMs: 0, memberLingerMs: 0 },
      ...options,
    });
    closing.push(() => next.close());
    return next;
  };
  closing.push(() => snapchat.close());
  return { simulator, snapchat, start };
}

type Snapchat = ReturnType<typeof createSnapchat>;

/** A destination with login and Conversions token that sends. */
async function shopOf(snapchat: Snapchat, simulator: Simulator, tenantId: string): Promise<string> {
  const { destinations } = snapchat.tenant(tenantId);
  const { id } = await destinations.create({ name: "Shop" });
  const { pixel, conversionsToken } = simulator.world.main;
  await destinations.update(id, { pixelId: pixel.id, conversionsToken, workflow: shopWorkflow() });
  await signIn({ simulator, snapchat }, tenantId, id);
  await destinations.enable(id);
  return id;
}

describe("keys", () => {
  it("are rotated under traffic over restarts, lose nothing, and go when nothing needs them", async () => {
    const file = join(folder, "rotation.db");
    const [old, next] = [newKey(), newKey()];
    const { simulator, snapchat: first, start } = await host({ storage: sqlite(file), encryptionKeys: [old] });
    const id = await shopOf(first, simulator, "acme");
    await first.pause();
    const sent: string[] = [];
    const track = async (snapchat: Snapchat, name: string) => {
      const receipts = await snapchat.tenant("acme").track([purchase(`${name}-a`), purchase(`${name}-b`)]);
      expect(receipts.map(({ status }) => status)).toEqual(["queued", "queued"]);
      sent.push(`${name}-a`, `${name}-b`);
    };
    await track(first, "old");
    await first.close();

    const second = start({ storage: sqlite(file), encryptionKeys: [next, old] });
    const worker = second.startWorker();
    const progress: number[] = [];
    simulator.control.revokeAccessTokens();
    const [report] = await Promise.all([
      second.keys.rotate({ onProgress: ({ resealed }) => progress.push(resealed) }),
      second.tenant("acme").accounts.me(id),
      ...Array.from({ length: 5 }, (_, n) => track(second, `during-${n}`)),
    ]);
    // The login may have been sealed anew by its refresh; the Conversions token and the tenant's digest key were by rotate.
    expect(report).toMatchObject({ failed: 0, errors: {} });
    expect(report.resealed).toBeGreaterThanOrEqual(2);
    expect(progress.at(-1)).toBe(report.resealed);
    const useOf = async () => Object.fromEntries((await second.keys.inUse()).map((use) => [use.sealing, use]));
    expect((await useOf()).false).toMatchObject({ records: 0, payloads: true, mayGo: false });

    await second.resume();
    const [again] = await Promise.all([second.keys.rotate(), track(second, "delivered-meanwhile")]);
    expect(again).toMatchObject({ failed: 0 });
    await expect.poll(() => simulator.inspect.events.counted, { timeout: 60_000 }).toBe(sent.length);
    await worker.stop();
    expect(await useOf()).toMatchObject({
      false: { records: 0, payloads: false, mayGo: true },
      true: { mayGo: false },
    });
    await second.close();

    const third = start({ storage: sqlite(file), encryptionKeys: [next] });
    await track(third, "new");
    await third.drain({ maxMs: 10_000 });
    expect(await third.tenant("acme").accounts.me(id)).toMatchObject({ id: simulator.world.main.person.id });
    expect(simulator.inspect.events).toMatchObject({ counted: sent.length, received: sent.length });
  });

  it("that are taken off too early stop work with words, and lose nothing", async () => {
    const file = join(folder, "early.db");
    const [old, next] = [newKey(), newKey()];
    const { simulator, snapchat: first, start } = await host({ storage: sqlite(file), encryptionKeys: [old] });
    const id = await shopOf(first, simulator, "acme");
    const { id: unconnected } = await first.tenant("acme").destinations.create({ name: "Without login" });
    await first.tenant("acme").track([purchase("waits")]);
    await first.close();

    const second = start({ storage: sqlite(file), encryptionKeys: [next] });
    const unreadable = { connection: { status: "unreadable", problem: "encryption_key_gone" } };
    expect(await second.tenant("acme").destinations.get(id)).toMatchObject(unreadable);
    const { items } = await second.tenant("acme").destinations.list();
    expect(items).toMatchObject([
      { id, name: "Shop", conversionsToken: { status: "accepted" }, ...unreadable },
      { id: unconnected },
    ]);
    expect((await second.tenant("acme").preflight(id)).lines).toMatchObject([
      { code: "encryption_key_gone", status: "problem" },
    ]);
    const gone = {
      code: "encryption_key_gone",
      kind: "fix_configuration",
      fix: expect.stringContaining("encryptionKeys"),
    };
    await expect(second.tenant("acme").accounts.me(id)).rejects.toMatchObject(gone);
    expect(await second.keys.rotate()).toMatchObject({
      resealed: 0,
      errors: { encryption_key_gone: expect.any(Number) },
    });
    await second.drain({ maxMs: 2_000 });
    expect(simulator.inspect.events.received).toBe(0);
    await second.close();

    // What does not open is looked at again after five minutes.
    const clock = { now: () => Date.now() + 6 * 60_000 };
    const third = start({ storage: sqlite(file, { clock }), encryptionKeys: [next, old] });
    await third.drain({ maxMs: 10_000 });
    expect(simulator.inspect.events.counted).toBe(1);
    expect(await third.tenant("acme").accounts.me(id)).toMatchObject({ id: simulator.world.main.person.id });
  });

  it("that are lost for good are got over by signing in and pasting the token again", async () => {
    const storage = memory();
    const { simulator, snapchat: first, start } = await host({ storage, encryptionKeys: [newKey()] });
    const id = await shopOf(first, simulator, "acme");
    const second = start({ storage, encryptionKeys: [newKey()] });
    await signIn({ simulator, snapchat: second }, "acme", id);
    const acme = second.tenant("acme");
    await acme.destinations.update(id, { conversionsToken: simulator.world.main.conversionsToken });
    expect(await acme.destinations.get(id)).toMatchObject({
      connection: { status: "connected" },
      conversionsToken: { status: "accepted" },
    });
    expect((await acme.preflight(id)).lines.filter(({ status }) => status === "problem")).toMatchObject([
      { code: "ad_account_missing" },
    ]);
  });

  it("seal a value to its place: copied to another tenant it does not open", async () => {
    const storage = memory();
    const { simulator, snapchat } = await host({ storage, encryptionKeys: [newKey()] });
    const id = await shopOf(snapchat, simulator, "acme");
    const theirs = await shopOf(snapchat, simulator, "evil");
    const copy = async (from: string, to: string) => {
      const record = await storage.records.get(from);
      await storage.records.put(to, record?.value as Uint8Array);
    };
    const moved = { code: "sealed_invalid", kind: "fix_configuration" };
    const evil = snapchat.tenant("evil");
    const [mine, own] = await Promise.all([
      snapchat.tenant("acme").destinations.get(id),
      evil.destinations.get(theirs),
    ]);
    await copy(`secret/acme/${id}/conversions_token`, `secret/evil/${theirs}/conversions_token`);
    await expect(evil.verify(theirs)).rejects.toMatchObject(moved);
    await copy(`connection/acme/${mine.connection?.id}`, `connection/evil/${own.connection?.id}`);
    expect((await evil.destinations.get(theirs)).connection).toMatchObject({
      status: "unreadable",
      problem: "sealed_invalid",
    });
    await evil.track([purchase("stolen")]);
    await snapchat.drain({ maxMs: 2_000 });
    expect(simulator.inspect.events.received).toBe(0);
  });
});

describe("keys of a key management service, one for each tenant", () => {
  it("seal, are renewed, and shred a tenant's data when they are destroyed", async () => {
    const { kms, table } = service();
    const keys = envelopeKeys(kms, table);
    const storage = memory();
    const { simulator, snapchat, start } = await host({ storage, encryptionKeys: keys });
    const acme = await shopOf(snapchat, simulator, "acme");
    const other = await shopOf(snapchat, simulator, "other");
    await keys.renew("acme");
    // Processes keep keys for five minutes; a new one asks.
    const renewed = start({ storage, encryptionKeys: keys });
    expect(await renewed.keys.rotate()).toMatchObject({ failed: 0, resealed: 2 });
    expect(await renewed.tenant("acme").accounts.me(acme)).toMatchObject({ id: simulator.world.main.person.id });

    await renewed.tenant("acme").track([purchase("shredded")]);
    await renewed.tenant("other").track([purchase("kept")]);
    await keys.shred("acme");
    const after = start({ storage, encryptionKeys: keys });
    await expect(after.tenant("acme").accounts.me(acme)).rejects.toMatchObject({ code: "encryption_key_gone" });
    expect(await after.tenant("other").accounts.me(other)).toMatchObject({ id: simulator.world.main.person.id });
    await after.drain({ maxMs: 5_000 });
    expect(simulator.inspect.events.list().map(({ eventId }) => eventId)).toEqual(["kept"]);
  });

  it("that cannot be had are waited for", async () => {
    const { kms, table } = service();
    const storage = memory();
    const { simulator, snapchat, start } = await host({ storage, encryptionKeys: envelopeKeys(kms, table) });
    const id = await shopOf(snapchat, simulator, "acme");
    await snapchat.tenant("acme").track([purchase("a")]);
    let down = true;
    const unwrap: Kms["unwrap"] = (wrapped, tenantId) =>
      down ? Promise.reject(new Error("kms: throttled arn:aws:kms:…")) : kms.unwrap(wrapped, tenantId);
    const after = start({ storage, encryptionKeys: envelopeKeys({ ...kms, unwrap }, table) });
    await expect(after.tenant("acme").accounts.me(id)).rejects.toMatchObject({
      code: "encryption_key_unavailable",
      kind: "retry",
    });
    await after.drain({ maxMs: 1_000 });
    expect(simulator.inspect.events.received).toBe(0);
    down = false;
    await expect
      .poll(async () => (await after.drain({ maxMs: 1_000 })) && simulator.inspect.events.counted, { timeout: 60_000 })
      .toBe(1);
    expect((await after.tenant("acme").destinations.get(id)).connection?.status).toBe("connected");
  });
});

/** A key management service with one master key, and the host's table of wrapped keys. */
function service(): { kms: Kms; table: WrappedKeys } {
  const master = randomBytes(32);
  const seal = (plain: Uint8Array, tenantId: string) => {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", master, nonce);
    cipher.setAAD(Buffer.from(tenantId));
    return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  };
  const rows = new Map<string, { id: string; wrapped: Uint8Array }[]>();
  const of = (tenantId: string) => rows.get(tenantId) ?? [];
  return {
    kms: {
      async generateDataKey(tenantId) {
        const plain = randomBytes(32);
        return { plain, wrapped: seal(plain, tenantId) };
      },
      async unwrap(wrapped, tenantId) {
        const bytes = Buffer.from(wrapped);
        const decipher = createDecipheriv("aes-256-gcm", master, bytes.subarray(0, 12), { authTagLength: 16 });
        decipher.setAAD(Buffer.from(tenantId));
        decipher.setAuthTag(bytes.subarray(-16));
        return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
      },
    },
    table: {
      newest: async (tenantId) => of(tenantId).at(-1),
      byId: async (tenantId, id) => of(tenantId).find((row) => row.id === id)?.wrapped,
      async add(tenantId, key, after) {
        if (of(tenantId).at(-1)?.id !== after) return false;
        rows.set(tenantId, [...of(tenantId), key]);
        return true;
      },
      removeAll: async (tenantId) => void rows.delete(tenantId),
    },
  };
}
