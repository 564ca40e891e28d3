import { AudiencesClient, isSegmentGone } from "snapchat-destination/audiences";
import { createSimulator, type Simulator } from "snapchat-destination/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Secret } from "../../src/errors.ts";

let simulator: Simulator;
let client: AudiencesClient;
let call: { token: Secret };
let adAccountId: string;

beforeEach(async () => {
  simulator = await createSimulator();
  client = new AudiencesClient({ endpoints: simulator.endpoints });
  call = { token: new Secret(simulator.control.issueToken().access_token) };
  adAccountId = simulator.world.main.adAccount.id;
});
afterEach(() => simulator.close());

const hash = (n: number) => n.toString(16).padStart(64, "0");

describe("AudiencesClient", () => {
  it("creates a segment and lists it with its id as text", async () => {
    const made = await client.segments.create(adAccountId, { name: "VIP", description: "cdp:vip#1" }, call);
    expect(made).toMatchObject({
      name: "VIP",
      description: "cdp:vip#1",
      retentionInDays: 9_999,
      uploadStatus: "NO_UPLOAD",
    });
    const listed = await Array.fromAsync(client.segments.list(adAccountId, call));
    expect(listed.map(({ id }) => id)).toEqual([made.id]);
  });

  it("adds and removes members of one kind and says what was asked and accepted", async () => {
    const { id } = await client.segments.create(adAccountId, { name: "VIP" }, call);
    expect(await client.members.add(id, "email", [hash(1), hash(2)], call)).toMatchObject({ asked: 2, accepted: 2 });
    expect(await client.members.remove(id, "email", [hash(2)], call)).toMatchObject({ asked: 1 });
    expect([...simulator.inspect.members(id).EMAIL_SHA256]).toEqual([hash(1)]);
  });

  it("takes a failure inside a 200 for a failure", async () => {
    const failure = await client.segments.delete("5000000000009999", call).catch((error: unknown) => error);
    expect(isSegmentGone(failure)).toBe(true);
  });

  it("says that a segment deleted in Ads Manager is gone", async () => {
    const { id } = await client.segments.create(adAccountId, { name: "VIP" }, call);
    simulator.control.deleteSegment(id);
    const failure = await client.members.add(id, "email", [hash(1)], call).catch((error: unknown) => error);
    expect(isSegmentGone(failure)).toBe(true);
  });

  it("refuses a name Snapchat would refuse before anything is sent", async () => {
    await expect(client.segments.create(adAccountId, { name: "x".repeat(376) }, call)).rejects.toMatchObject({
      code: "segment_name_invalid",
    });
    expect(simulator.inspect.requests).toHaveLength(0);
  });

  it("tells a refused token from a missing role", async () => {
    await expect(client.segments.get("1", { token: new Secret("nobody") })).rejects.toMatchObject({
      kind: "reauthorize",
    });
  });
});
