import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { demo } from "../../examples/queue-jetstream/demo.ts";
import { read } from "../docs/shown-code.ts";
import { serviceUrl } from "../services.ts";

const nats = await serviceUrl("nats");
const tsx = fileURLToPath(import.meta.resolve("tsx"));

describe.skipIf(!nats)("examples/queue-jetstream", () => {
  it("loses nothing and lets nothing be counted twice when its worker is killed in the middle of a request", {
    timeout: 180_000,
  }, async () => {
    const said: string[] = [];
    const end = await demo({ nats: nats ?? "", say: (line) => said.push(line), execArgv: ["--import", tsx] });
    expect(end.counted).toBe(end.offered);
    expect(end.received).toBeGreaterThan(end.offered);
    expect(end.segments).toMatchObject([{ name: "vip", members: { EMAIL_SHA256: 2 } }]);
    const shown = said.map((line) => line.replace(/shop-[\w-]+/, "shop-…").replace(/received \d+/, "received 600"));
    expect(read("examples/queue-jetstream/README.md")).toContain(`\n\`\`\`\n${shown.join("\n")}\n\`\`\`\n`);
  });
});
