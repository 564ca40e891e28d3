import { randomBytes } from "node:crypto";
import { createSnapchat, presets, setToggle } from "snapchat-destination";
import { createSimulator } from "snapchat-destination/testing";
import { afterAll, describe, expect, it } from "vitest";
import { serviceUrl } from "../services.ts";
import { connect, createSchemas } from "./postgres-schemas.ts";

const url = await serviceUrl("postgres");

describe.skipIf(!url)("a host on Postgres", () => {
  const pool = connect(url ?? "");
  const schemas = createSchemas(pool);
  // Of the host's own transactions: one that holds its connection while it tracks must not keep the storage from one.
  const hosts = connect(url ?? "", { max: 5 });
  afterAll(async () => {
    await hosts.end();
    await schemas.end();
    await pool.end();
  });

  it("sells and tracks in one transaction: the conversions that Snapchat counts are the orders that exist", async () => {
    const simulator = await createSimulator();
    const storage = await schemas.open();
    const schema = schemas.schemaOf(storage);
    await pool.query(`CREATE TABLE ${schema}.orders (id text PRIMARY KEY)`);
    const snapchat = createSnapchat({
      app: { clientId: "client", clientSecret: "secret", redirectUri: "http://127.0.0.1/callback" },
      storage,
      encryptionKeys: [randomBytes(32).toString("base64")],
      endpoints: simulator.endpoints,
      allowEndpoints: [simulator.url],
    });
    const acme = snapchat.tenant("acme");
    const { id } = await acme.destinations.create({ name: "Shop" });
    const workflow = setToggle(presets.segment({ defaultCountry: "GB" }), "Order Completed", { server: true });
    const { main } = simulator.world;
    await acme.destinations.update(id, { pixelId: main.pixel.id, conversionsToken: main.conversionsToken, workflow });
    await acme.destinations.enable(id);

    const orders = Array.from({ length: 12 }, (_, n) => ({
      id: `order-${n}`,
      end: n % 3 === 0 ? "ROLLBACK" : "COMMIT",
    }));
    await Promise.all(
      orders.map(async ({ id: orderId, end }) => {
        const client = await hosts.connect();
        await client.query("BEGIN");
        await client.query(`INSERT INTO ${schema}.orders VALUES ($1)`, [orderId]);
        const receipts = await acme.track([purchase(orderId)], { tx: client });
        expect(receipts.map(({ status }) => status)).toEqual(["queued"]);
        await client.query(end);
        client.release();
      }),
    );
    await snapchat.drain({ maxMs: 20_000 });
    const { rows } = await pool.query<{ id: string }>(`SELECT id FROM ${schema}.orders`);
    const counted = simulator.inspect.events.list().filter(({ outcome }) => outcome === "counted");
    expect(counted.map(({ eventId }) => eventId).toSorted()).toEqual(rows.map((row) => `message-${row.id}`).toSorted());
    expect(rows).toHaveLength(8);
    await snapchat.close();
    await simulator.close();
    await pool.query(`DROP TABLE ${schema}.orders`);
    await schemas.giveBack(storage);
  });
});

function purchase(orderId: string) {
  return {
    type: "track",
    event: "Order Completed",
    messageId: `message-${orderId}`,
    timestamp: new Date().toISOString(),
    userId: "u1",
    context: { traits: { email: `${orderId}@shop.example` }, page: { url: "https://shop.example/thanks" } },
    properties: { order_id: orderId, revenue: 12.5, currency: "GBP" },
  };
}
