import { expect, it } from "vitest";
import { AudiencesClient } from "../../src/audiences/index.ts";
import { createDelivery, segmentGroup, writeSegmentLink } from "../../src/delivery/index.ts";
import { Secret } from "../../src/errors.ts";
import { memory } from "../../src/storage/memory/index.ts";
import { createFakeClock } from "../../src/testing/clock.ts";
import { createSimulator } from "../../src/testing/index.ts";
import { hashOf, member, onClock } from "../delivery/support.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

it("members are renewed before the segment's retention drops them, and only those who are still in it", async () => {
  const clock = createFakeClock();
  const simulator = await createSimulator({ listen: false, clock, knobs: { rateLimits: false } });
  const storage = memory({ clock });
  const adAccountId = simulator.world.main.adAccount.id;
  const delivery = createDelivery({
    storage: onClock(storage, clock, 60_000),
    clock,
    settings: { memberLingerMs: 0 },
    segments: new AudiencesClient({
      endpoints: simulator.endpoints,
      fetch: (request) => simulator.fetch(request),
      maxRetries: 0,
    }),
    credentials: {
      resolve: async (id) => ({
        id,
        kind: "oauth",
        token: new Secret(simulator.control.issueToken().access_token),
        version: 1,
        limits: { events: [], segments: [] },
      }),
      refused: async () => "retry",
    },
  });
  const ref = { tenantId: "acme", destinationId: "d1", link: "vip" };
  const link = { key: "vip", name: "VIP", adAccountId, retentionInDays: 8, state: "new" as const, generation: 0 };
  await writeSegmentLink(storage.records, ref, link, 0);
  await storage.outbox.open([segmentGroup(ref, "oauth/acme/c1")]);
  const worker = delivery.startWorker();
  await delivery.append([member(1, "add"), member(2, "add")]);
  await clock.advance(2 * HOUR);
  await delivery.append([member(2, "remove")]);

  const held = () => [...(simulator.inspect.members(simulator.inspect.segments()[0]?.id ?? "").EMAIL_SHA256 ?? [])];
  for (let day = 0; day < 40; day++) {
    await clock.advance(DAY);
    expect(held()).toEqual([hashOf(1)]);
  }
  const uploads = simulator.inspect.requests.filter(({ path }) => path.endsWith("/users")).length;
  // The two of the beginning, then once in five to six days.
  expect(uploads).toBeGreaterThanOrEqual(2 + 6);
  expect(uploads).toBeLessThanOrEqual(2 + 8);
  await delivery.append([member(1, "remove")]);
  await clock.advance(HOUR);
  expect(held()).toEqual([]);
  await clock.run(worker.stop());
  await simulator.close();
});
