import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hash } from "../../src/identity/index.ts";
import { memory } from "../../src/memory/index.ts";
import { createPeople, createSubjects } from "../../src/people/index.ts";
import { createFakeClock, type FakeClock } from "../../src/testing/clock.ts";
import { DELIVERED, event, setup } from "../delivery/support.ts";

const KEY = new Uint8Array(32).fill(7);
const people = (n: number) => `p${n}`;

/** Two worker processes on one storage, each with its own memory of tombstones. */
async function twoWorkers(clock: FakeClock, requestMs: number) {
  const storage = memory({ clock });
  const process = async () => {
    const room = createPeople({
      records: storage.records,
      digestKeys: { of: async () => KEY, destroy: async () => {} },
      clock,
      destinations: async () => [{ id: "d1" }],
      removal: { remove: async () => {} },
      audit: async () => {},
    });
    const answer = async () => {
      await clock.sleep(requestMs);
      return DELIVERED;
    };
    const made = await setup({ clock, storage, consent: room.consent, answer });
    return { room, ...made, worker: made.delivery.startWorker() };
  };
  return { storage, here: await process(), there: await process() };
}

describe("forgetting under traffic", () => {
  it("lets nothing of a person begin to leave after it resolved, in any process, and holds nobody else back", async () => {
    const plan = fc.record({
      requestMs: fc.integer({ min: 1, max: 3_000 }),
      steps: fc.array(
        fc.record({
          waitMs: fc.integer({ min: 0, max: 900 }),
          forget: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
        }),
        {
          minLength: 10,
          maxLength: 30,
        },
      ),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ requestMs, steps }) => {
        const clock = createFakeClock();
        const { here, there, storage } = await twoWorkers(clock, requestMs);
        const subjects = createSubjects(KEY);
        const accepted: { id: string; person: number; atMs: number }[] = [];
        const forgotten: { person: number; calledAt: number; resolvedAt: number }[] = [];
        const running: Promise<void>[] = [];
        for (const [i, { waitMs, forget }] of steps.entries()) {
          const items = Array.from({ length: 5 }, (_, k) => {
            const person = (i * 3 + k) % 10;
            const atMs = clock.now();
            accepted.push({ id: `e-${i}.${k}`, person, atMs });
            const subject = subjects.ofHash("external_id", hash("external_id", people(person)) ?? "");
            return event(`${i}.${k}`, { subjects: [subject], acceptedAtMs: atMs });
          });
          await here.delivery.append(items);
          if (forget !== undefined) {
            const calledAt = clock.now();
            const { room } = i % 2 ? here : there;
            running.push(
              room.forget("acme", { externalId: people(forget) }).then(({ at }) => {
                expect(Date.parse(at)).toBe(clock.now());
                forgotten.push({ person: forget, calledAt, resolvedAt: clock.now() });
              }),
            );
          }
          await clock.advance(waitMs);
        }
        await clock.run(Promise.all(running));
        await clock.advance(30_000);

        const sent = new Map<string, number>();
        for (const request of [...here.events.sent, ...there.events.sent])
          for (const id of request.eventIds) sent.set(id, request.atMs);
        const wall = clock.now() - clock.monotonic();
        for (const { id, person, atMs } of accepted) {
          const sentAt = sent.get(id);
          const own = forgotten.filter((one) => one.person === person);
          for (const { resolvedAt } of own) {
            if (sentAt !== undefined && atMs <= resolvedAt) expect(sentAt + wall).toBeLessThanOrEqual(resolvedAt);
          }
          if (!own.some(({ resolvedAt }) => atMs <= resolvedAt)) expect(sentAt, id).toBeDefined();
        }
        expect((await storage.outbox.depth()).reduce((sum, { items }) => sum + items, 0)).toBe(0);
        await clock.run(Promise.all([here.worker.stop(), there.worker.stop()]));
      }),
      { numRuns: 25 },
    );
  });
});
