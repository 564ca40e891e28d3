import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createSealer } from "../../../src/auth/index.ts";
import { type DeadDetail, decodeDetail, encodeDetail, sealDead } from "../../../src/delivery/dead.ts";
import { openPayload, payloadAad } from "../../../src/delivery/payload.ts";

const detail: DeadDetail = { message: "Größe fehlt", code: "E1", attempts: 3, unknownForMs: 70, eventId: "e-1" };

describe("what is noted beside a dead letter", () => {
  it("comes back as it was written, behind its format's version", () => {
    const content = encodeDetail(detail);
    expect(content[0]).toBe(1);
    expect(decodeDetail(content)).toEqual(detail);
  });

  it("of a newer version is nothing that can be read", () => {
    const content = encodeDetail(detail);
    content[0] = 2;
    expect(decodeDetail(content)).toBeUndefined();
  });

  it("is sealed with its item, for its own group", async () => {
    const sealer = createSealer({ keys: [randomBytes(32).toString("base64")] });
    const group = { tenantId: "acme", destinationId: "d1", name: "events/pixel-1" };
    const content = Buffer.from("an event");
    const items = [
      { index: 3, reason: "rejected", content, detail },
      { index: 5, reason: "event_too_old", content, detail: { attempts: 0 } },
    ];
    const sealed = await sealDead({ sealer }, group, items);
    expect(sealed).toMatchObject([
      { itemIndex: 3, reason: "rejected" },
      { itemIndex: 5, reason: "event_too_old" },
    ]);
    const [first] = sealed;
    if (!first) throw new Error("nothing was sealed");
    const aad = payloadAad("acme", "d1", "events/pixel-1");
    expect(Buffer.from(await openPayload(first.payload, aad, sealer)).toString()).toBe("an event");
    expect(decodeDetail(await openPayload(first.detail, aad, sealer))).toEqual(detail);
    const elsewhere = payloadAad("acme", "d2", "events/pixel-1");
    await expect((async () => openPayload(first.payload, elsewhere, sealer))()).rejects.toThrow();
    await expect((async () => openPayload(first.detail, elsewhere, sealer))()).rejects.toThrow();
  });
});
