import { describe, expect, it } from "vitest";
import { DIGEST, start } from "./support.ts";

describe("a batch of events", () => {
  it("is answered with the literal body of the real API, and counted", async () => {
    const { simulator, send, event } = await start();
    const answer = await send([event()]);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ status: "VALID", reason: "Events have been processed successfully." });
    expect(simulator.inspect.events).toMatchObject({
      received: 1,
      counted: 1,
      duplicates: 0,
      rejected: 0,
      warnedBy: {},
    });
    await simulator.close();
  });

  it("is refused as a whole for one bad event, in the nested envelope, by its place", async () => {
    const { simulator, send, event } = await start();
    const answer = await send([event(), event({ event_id: "evt-2", user_data: { em: ["person@example.com"] } })]);
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({
      status: "INVALID",
      event: 2,
      errors: { codes: ["517", "517"], error_msgs: [expect.stringMatching(/^Unhashed PII/), expect.anything()] },
    });
    expect(simulator.inspect.events).toMatchObject({ received: 2, counted: 0, rejected: 1, refusedWithBatch: 1 });
    expect(DIGEST.em).toHaveLength(64);
    await simulator.close();
  });
});
