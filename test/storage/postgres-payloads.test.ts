import { randomBytes } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { serviceUrl } from "../services.ts";
import { connect, createSchemas } from "./postgres-schemas.ts";

const url = await serviceUrl("postgres");
/** What one row of a claim's answer holds of a payload. */
const PIECE = 48 * 1024;

describe.skipIf(!url)("payloads of a claim on Postgres", () => {
  const pool = connect(url ?? "", { max: 2 });
  const schemas = createSchemas(pool);
  afterAll(async () => {
    await schemas.end();
    await pool.end();
  });

  it("of every size come back as they were, many in one claim", async () => {
    const { outbox } = await schemas.open({});
    const group = { tenantId: "acme", destinationId: "d1", name: "g", exclusive: false, credentialId: "c1" };
    await outbox.open([group]);
    const sizes = [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 5 * PIECE + 7, 200];
    const stored = sizes.map((size, n) => ({ id: `e ${n}`, payload: randomBytes(size) }));
    await outbox.append(
      stored.map(({ id, payload }) => ({
        id,
        group: { destinationId: "d1", name: "g" },
        priority: 1,
        items: 1,
        payload,
        dedupeMs: 0,
      })),
    );
    const claim = await outbox.claim({ owner: "o", leaseMs: 60_000, maxItems: 100, maxBytes: 2 ** 24 });
    expect(claim?.entries.map(({ id }) => id)).toEqual(stored.map(({ id }) => id));
    for (const [n, { payload }] of stored.entries()) {
      expect(Buffer.compare(claim?.entries[n]?.payload ?? Buffer.of(0), payload), `${sizes[n]} bytes`).toBe(0);
    }
  });
});
