import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTenants, type Destination } from "../../src/destinations/index.ts";
import type { Entry } from "./fakes/queue.ts";
import { ACCOUNT, ACCOUNT_2, createWorld, PIXEL, PIXEL_2, type World } from "./fakes/world.ts";

const TENANT = "acme";
const pixels = { [PIXEL]: ACCOUNT, [PIXEL_2]: ACCOUNT_2 };

const step = fc.oneof(
  fc.record({
    do: fc.constant("pixel" as const),
    pixelId: fc.constantFrom(PIXEL, PIXEL_2),
    queue: fc.constantFrom("old_asset" as const, "drop" as const),
  }),
  fc.record({
    do: fc.constant("token" as const),
    answer: fc.constantFrom("accepted" as const, "refused" as const, "unknown" as const),
  }),
  fc.record({ do: fc.constant("removeToken" as const) }),
  fc.record({ do: fc.constant("serverSide" as const), on: fc.boolean() }),
  fc.record({ do: fc.constant("enable" as const) }),
  fc.record({
    do: fc.constant("disable" as const),
    queue: fc.constantFrom("hold" as const, "finish" as const, "drop" as const),
  }),
  fc.record({ do: fc.constant("connect" as const), as: fc.constantFrom("ada", "grace") }),
  fc.record({ do: fc.constant("disconnect" as const) }),
  fc.record({
    do: fc.constant("login" as const),
    status: fc.constantFrom("connected" as const, "reauth_required" as const),
  }),
  fc.record({ do: fc.constant("suspend" as const) }),
  fc.record({ do: fc.constant("resume" as const) }),
  fc.record({ do: fc.constant("delete" as const) }),
  { weight: 6, arbitrary: fc.record({ do: fc.constant("traffic" as const), events: fc.integer({ min: 1, max: 3 }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What the life cycle should be, in twenty lines that share nothing with the code. */
interface Model {
  id: string;
  enabled: boolean;
  onDisable: "hold" | "finish" | "drop";
  serverSide: boolean;
  pixelId: string | undefined;
  /** Every pixel ever chosen, and what became of its queue. */
  pixels: Map<string, "deliver" | "drop">;
  login: string | undefined;
  suspended: boolean;
}

const born = (id: string): Model => ({
  id,
  enabled: false,
  onDisable: "hold",
  serverSide: true,
  pixelId: undefined,
  pixels: new Map(),
  login: undefined,
  suspended: false,
});

class Run {
  world: World = createWorld();
  model = born("");
  readonly appended: string[] = [];
  readonly dropped: string[] = [];
  readonly deleted: string[] = [];

  async start(): Promise<void> {
    const { id } = await this.world.destinations.create(TENANT, { name: "Shop" });
    this.model = { ...born(id), suspended: this.model.suspended };
  }

  /** Performs a step in a process that dies at its n-th write, and finishes it in another; then a worker may come by. */
  async perform(s: Step, o: { dieAt?: number | undefined; deliver: boolean }): Promise<void> {
    const before = await this.mark();
    const waiting = [...this.world.queue.waiting];
    const outcome = await this.dying(o.dieAt, () => this.call(s)).catch(
      (error: { code?: string; message: string }) => error,
    );
    if (outcome instanceof Error && outcome.message === "killed") await this.recover(s);
    else if (outcome instanceof Error)
      expect(["destination_incomplete"]).toContain((outcome as { code?: string }).code);
    const after = await this.mark();
    if (after !== before) await this.apply(s, waiting);
    await this.check(o.deliver);
  }

  /** Changes whenever a step has taken effect. */
  async mark(): Promise<string> {
    const { destinations, context, connections } = this.world;
    const shop = await destinations.get(TENANT, this.model.id).catch(() => undefined);
    const tenant = await createTenants(context).get(TENANT);
    const login = this.model.login && connections.get(`${TENANT} ${this.model.login}`)?.status;
    return `${shop?.version} ${tenant.status} ${login}`;
  }

  async call(s: Step): Promise<unknown> {
    const { destinations, context, script } = this.world;
    const { id } = this.model;
    const tenants = createTenants(context);
    switch (s.do) {
      case "pixel":
        return destinations.update(
          TENANT,
          id,
          { pixelId: s.pixelId, adAccountId: pixels[s.pixelId] ?? null },
          { queue: s.queue },
        );
      case "token":
        script.token = s.answer;
        return destinations.update(TENANT, id, { conversionsToken: `token-canary-${s.answer}` });
      case "removeToken":
        return destinations.update(TENANT, id, { conversionsToken: null });
      case "serverSide":
        return destinations.update(TENANT, id, { serverSide: s.on });
      case "enable":
        return destinations.enable(TENANT, id);
      case "disable":
        return destinations.disable(TENANT, id, { queue: s.queue });
      case "connect":
        return destinations.connect(TENANT, id, this.world.signIn(TENANT, s.as));
      case "disconnect":
        return destinations.disconnect(TENANT, id);
      case "login":
        if (this.model.login === undefined) return undefined;
        this.world.signIn(TENANT, this.model.login, { status: s.status });
        return destinations.connectionChanged(TENANT, this.model.login);
      case "suspend":
        return tenants.suspend(TENANT);
      case "resume":
        return tenants.resume(TENANT);
      case "delete":
        return destinations.delete(TENANT, id);
      case "traffic":
        return this.traffic(s.events);
    }
  }

  /** As `track` does: into the group of the current pixel, of destinations that take events. */
  async traffic(events: number): Promise<void> {
    for (const { id, pixelId, serverSide } of await this.world.destinations.enabledDestinations(TENANT)) {
      if (pixelId === undefined || !serverSide) continue;
      for (let i = 0; i < events; i++) {
        const entry = { id: `e${this.appended.length}`, destinationId: id, group: `events/${pixelId}` };
        this.world.queue.append(entry);
        this.appended.push(entry.id);
      }
    }
  }

  async dying(dieAt: number | undefined, task: () => Promise<unknown>): Promise<unknown> {
    const { records, queue } = this.world;
    let writes = 0;
    const count = () => {
      if (++writes >= (dieAt ?? Number.POSITIVE_INFINITY)) throw new Error("killed");
    };
    records.beforeWrite = count;
    queue.beforeCommand = count;
    try {
      return await task();
    } finally {
      records.beforeWrite = () => {};
      queue.beforeCommand = () => {};
    }
  }

  /** Another process takes over: its upkeep finishes what was begun. What is not of one destination is called again. */
  async recover(s: Step): Promise<void> {
    const { script } = this.world;
    this.world = createWorld(this.world);
    this.world.script.token = script.token;
    this.world.clock.advance(31_000);
    await this.world.destinations.maintain();
    // The vault tells of every transition at least once.
    if (s.do === "connect") await this.world.destinations.connectionChanged(TENANT, s.as);
    const shop = await this.world.destinations.get(TENANT, this.model.id).catch(() => undefined);
    if (shop?.deleting || s.do === "suspend" || s.do === "resume" || s.do === "login") await this.call(s);
  }

  async apply(s: Step, waiting: readonly Entry[]): Promise<void> {
    const { model } = this;
    const drop = (fits: (entry: Entry) => boolean) =>
      this.dropped.push(...waiting.filter(fits).map((entry) => entry.id));
    if (s.do === "pixel") {
      const old = model.pixelId;
      if (old !== undefined && old !== s.pixelId) {
        model.pixels.set(old, s.queue === "drop" ? "drop" : "deliver");
        if (s.queue === "drop") drop((entry) => entry.group === `events/${old}`);
      }
      model.pixelId = s.pixelId;
      model.pixels.set(s.pixelId, "deliver");
    }
    if (s.do === "serverSide") model.serverSide = s.on;
    if (s.do === "enable") model.enabled = true;
    if (s.do === "disable") {
      model.enabled = false;
      model.onDisable = s.queue;
      if (s.queue === "drop") drop(() => true);
    }
    if (s.do === "connect") model.login = s.as;
    if (s.do === "disconnect") model.login = undefined;
    if (s.do === "suspend") model.suspended = true;
    if (s.do === "resume") model.suspended = false;
    if (s.do === "delete") {
      this.deleted.push(...waiting.map((entry) => entry.id));
      if (model.suspended) await createTenants(this.world.context).resume(TENANT);
      model.suspended = false;
      await this.start();
    }
  }

  async check(deliver: boolean): Promise<void> {
    const { queue, destinations } = this.world;
    const shop = await destinations.get(TENANT, this.model.id);
    const { model } = this;
    expect(shop).toMatchObject({ enabled: model.enabled, serverSide: model.serverSide });
    expect([shop.pixelId, shop.connection?.id]).toEqual([model.pixelId, model.login]);

    const credentialId = credential(model, shop);
    const delivered = queue.delivered.length;
    if (deliver) queue.deliver();
    for (const entry of queue.delivered.slice(delivered)) {
      expect(mayLeave(model, shop, entry.group)).toBe(true);
      expect(entry.credentialId).toEqual(credentialId);
    }
    for (const entry of deliver ? queue.waiting : [])
      expect(mayLeave(model, shop, entry.group), `${entry.id} ${entry.group}`).toBe(false);

    const places = [...queue.delivered, ...queue.waiting, ...queue.dead, ...queue.purged].map(({ id }) => id);
    expect(places.sort()).toEqual([...this.appended].sort());
    expect(queue.dead.map(({ id }) => id).sort()).toEqual([...this.dropped].sort());
    expect(queue.purged.map(({ id }) => id).sort()).toEqual([...this.deleted].sort());
    const active = await destinations.enabledDestinations(TENANT);
    expect(active.map(({ id }) => id)).toEqual(model.enabled && !model.suspended ? [model.id] : []);
  }
}

function credential(model: Model, shop: Destination): string | undefined {
  const token = shop.conversionsToken?.status;
  const login = model.login && `oauth/${TENANT}/${model.login}`;
  if (token === "accepted") return expect.stringMatching(/^conversions\/acme\/\w+\/[1-9]/) as string;
  if (shop.connection?.status === "connected") return login;
  if (token === "unconfirmed") return expect.stringMatching(/^conversions\//) as string;
  return login ?? (token && (expect.stringMatching(/^conversions\//) as string));
}

function mayLeave(model: Model, shop: Destination, group: string): boolean {
  const token = shop.conversionsToken?.status;
  const byLogin =
    token !== "accepted" && shop.connection && (shop.connection.status === "connected" || token !== "unconfirmed");
  const usable = byLogin ? shop.connection?.status === "connected" : token === "accepted" || token === "unconfirmed";
  const on = model.enabled || model.onDisable === "finish";
  return (
    usable &&
    on &&
    model.serverSide &&
    !model.suspended &&
    model.pixels.get(group.slice("events/".length)) === "deliver"
  );
}

describe("the life of a destination", () => {
  it("follows its model through random transitions with traffic", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(step, fc.boolean()), { minLength: 5, maxLength: 40 }), async (steps) => {
        const run = await begin();
        for (const [s, deliver] of steps) await run.perform(s, { deliver });
      }),
      { numRuns: RUNS },
    );
  });

  it("follows it also where the process is killed at any write and another finishes", async () => {
    const killed = fc.tuple(step, fc.boolean(), fc.option(fc.integer({ min: 1, max: 25 }), { nil: undefined }));
    await fc.assert(
      fc.asyncProperty(fc.array(killed, { minLength: 5, maxLength: 30 }), async (steps) => {
        const run = await begin();
        for (const [s, deliver, dieAt] of steps) await run.perform(s, { deliver, dieAt });
      }),
      { numRuns: RUNS },
    );
  });
});

/** Most runs should begin where something flows. */
async function begin(): Promise<Run> {
  const run = new Run();
  await run.start();
  await run.perform({ do: "connect", as: "ada" }, { deliver: false });
  await run.perform({ do: "pixel", pixelId: PIXEL, queue: "old_asset" }, { deliver: false });
  await run.perform({ do: "enable" }, { deliver: false });
  await run.perform({ do: "traffic", events: 2 }, { deliver: false });
  return run;
}

/** More with `RUNS=5000`. */
const RUNS = Number(process.env.RUNS ?? 150);
