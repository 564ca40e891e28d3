import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { demo } from "../../examples/queue-jetstream/demo.ts";
import { serviceUrl } from "../services.ts";

const nats = await serviceUrl("nats");
const tsx = fileURLToPath(import.meta.resolve("tsx"));

describe.skipIf(!nats)("examples/queue-jetstream", () => {
  it("loses nothing and lets nothing be counted twice when its worker is killed in the middle of a request", {
    timeout: 180_000,
  }, async () => {
    const end = await demo({ nats: nats ?? "", say: () => {}, execArgv: ["--import", tsx] });
    expect(end.counted).toBe(end.offered);
    expect(end.received).toBeGreaterThan(end.offered);
    expect(end.segments).toMatchObject([{ name: "vip", members: { EMAIL_SHA256: 2 } }]);
  });
});
