import * as crypto from "node:crypto";
import { isSnapchatError, type Receipt, type Tenant } from "snapchat-destination";
import { seeded } from "../../delivery/support.ts";
import { entered, purchase, shopWorkflow, signIn } from "../../snapchat/shop.ts";
import { audited, balanced, secretsKept, shown } from "./checks.ts";
import { born, type Item, mayLeave, mustLeave, type Place, type Shop, takesEvents } from "./model.ts";
import { type Step, stepOf } from "./steps.ts";
import { openWorld, type World, type WorldOptions } from "./world.ts";

export interface HistoryOptions extends Omit<WorldOptions, "random"> {
  seed: number;
  /** Prints every step. */
  trace?: boolean | undefined;
}

export interface HistoryReport {
  violations: string[];
  counts: { steps: number; refused: number; items: number; delivered: number; dropped: number; purged: number };
}

/** What was claimed before a change may still leave within this time. Milliseconds. */
const UNDER_WAY_MS = 2_000;
/** Within this everything that may leave has left. Milliseconds. */
const QUIET_MS = 60_000;
const STEPS = 20;

/**
 * One seeded life: a destination that everything happens to while its shop sells, beside another one of the same tenant
 * and one of another tenant that nothing happens to.
 */
export async function runHistory(options: HistoryOptions): Promise<HistoryReport> {
  const random = seeded(options.seed);
  // Jitter comes from there.
  const before = Math.random;
  Math.random = seeded(options.seed + 1);
  const world = await openWorld({ ...options, random });
  try {
    return await world.clock.run(new History(world, random, options.trace ?? false).run(), { maxMs: 86_400_000 });
  } finally {
    await world.close();
    Math.random = before;
  }
}

class History {
  readonly violations: string[] = [];
  readonly counts = { steps: 0, refused: 0, items: 0, delivered: 0, dropped: 0, purged: 0 };
  readonly items = new Map<string, Item>();
  readonly places: Place[];
  /** The destination that everything happens to. */
  shop!: Shop;
  /** Of the same tenant. */
  side!: Shop;
  /** Of another one. */
  other!: Shop;
  /** Changes that took effect, by their actor. */
  readonly done: string[] = [];
  #seen = 0;
  #polledAtMs = 0;
  #changing = false;
  #serial = 0;
  readonly #members = new Set<string>();

  readonly world: World;
  readonly random: () => number;
  readonly #trace: boolean;

  constructor(world: World, random: () => number, trace: boolean) {
    this.world = world;
    this.random = random;
    this.#trace = trace;
    this.places = world.simulator.world.adAccounts.map(({ id }) => ({
      adAccountId: id,
      pixelId: world.simulator.world.pixels.find(({ adAccountId }) => adAccountId === id)?.id ?? "",
    }));
  }

  async run(): Promise<HistoryReport> {
    const [uk, , fr, us] = this.places as [Place, Place, Place, Place];
    this.other = await this.open("globex", "Globex", us, "cleo");
    this.side = await this.open("acme", "Side", fr, "cleo");
    this.shop = await this.open("acme", "Shop", uk);
    for (let n = 0; n < STEPS && this.violations.length === 0; n += 1) await this.perform(stepOf(this), `step-${n}`);
    await this.mend();
    await this.quiet();
    await audited(this);
    return { violations: this.violations, counts: this.counts };
  }

  get now(): number {
    return this.world.clock.now();
  }

  tenant(shop: Shop): Tenant {
    return this.world.snapchat.tenant(shop.tenantId);
  }

  wrong(what: string): void {
    this.note(`WRONG ${what}`);
    this.violations.push(what);
  }

  note(text: string): void {
    if (this.#trace) console.log(`${String(this.now % 100_000_000).padStart(9)} ${text}`);
  }

  /** A destination that sells. */
  async open(tenantId: string, name: string, place: Place, person = "ada"): Promise<Shop> {
    const { snapchat, simulator } = this.world;
    const { destinations } = snapchat.tenant(tenantId);
    const { id } = await destinations.create({ name });
    await signIn({ simulator, snapchat }, tenantId, id, person);
    await destinations.update(id, { ...place, conversionsToken: this.newToken(), workflow: shopWorkflow() });
    await destinations.enable(id);
    return born(tenantId, id, name, place);
  }

  newToken(): string {
    const { control, world } = this.world.simulator;
    return control.addConversionsToken(world.main.organization.id).token;
  }

  /** One change while the shops go on selling; then perhaps a quiet moment, in which everything has to add up. */
  async perform(step: Step, actor: string): Promise<void> {
    const { clock } = this.world;
    this.counts.steps += 1;
    const pile = this.random() < 0.5 ? await this.pileUp() : undefined;
    this.poll();
    const startedAtMs = this.now;
    const from = this.shop.place;
    this.note(`${actor} ${step.name}`);
    this.#changing = true;
    const selling = this.sell(1 + Math.floor(this.random() * 4), [from, step.to ?? from]);
    await clock.sleep(this.random() * 20);
    const outcome = await step.call(actor).then(
      () => undefined,
      (error: unknown) => error,
    );
    await selling;
    this.#changing = false;
    if (outcome === undefined) {
      step.apply(startedAtMs);
      if (step.audited) this.done.push(actor);
    } else {
      this.counts.refused += 1;
      const code = isSnapchatError(outcome) ? outcome.code : String(outcome);
      this.note(`refused: ${code}`);
      if (!step.mayFailWith.includes(code)) this.wrong(`${step.name} failed with ${code}`);
    }
    this.poll(startedAtMs);
    await pile?.();
    await step.after?.();
    this.poll(startedAtMs);
    await this.sell(1 + Math.floor(this.random() * 3), [this.shop.place]);
    await clock.sleep(this.random() * 400);
    this.poll();
    if (this.random() < 0.5) await this.quiet();
  }

  /** Somebody holds the queue for a while, so that the change meets one. Answers what lets it go on. */
  async pileUp(): Promise<() => Promise<void>> {
    const { clock, snapchat } = this.world;
    const targets = [this.shop, this.side].map(({ id }) => ({ destinationId: id }));
    for (const target of targets) await snapchat.pause(target);
    await this.sell(2, [this.shop.place]);
    await clock.sleep(2 * UNDER_WAY_MS);
    return async () => {
      for (const target of targets) await snapchat.resume(target);
    };
  }

  /** Several calls of `track`, spread over a moment; what fails for a change in the same moment is repeated, as a host does. */
  async sell(calls: number, places: readonly Place[]): Promise<void> {
    const { clock } = this.world;
    const spread = Array.from({ length: calls }, async () => {
      await clock.sleep(this.random() * 60);
      const n = ++this.#serial;
      const mail = `person-${n}@shop.example`;
      const bought = (who: string) => ({
        ...purchase(`${who}-${n}`, mail),
        timestamp: new Date(this.now).toISOString(),
      });
      for (const tenantId of ["acme", "globex"]) {
        const receipts = await this.track(tenantId, [bought(tenantId), entered("vip", mail)]);
        for (const shop of [this.shop, this.side, this.other]) {
          if (shop.tenantId === tenantId)
            this.take(shop, n, mail, receipts, shop === this.shop ? places : [shop.place]);
        }
      }
    });
    await Promise.all(spread);
  }

  async track(tenantId: string, events: Record<string, unknown>[]): Promise<Receipt[]> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.world.snapchat.tenant(tenantId).track(events);
      } catch (error) {
        if (!this.#changing || tenantId !== "acme" || tries === 20) {
          this.wrong(`track of ${tenantId} failed: ${String(error)}`);
          return [];
        }
        await this.world.clock.sleep(50);
      }
    }
  }

  take(shop: Shop, n: number, mail: string, receipts: readonly Receipt[], places: readonly Place[]): void {
    const parts = receipts.flatMap((receipt) => receipt.parts).filter((part) => part.destinationId === shop.id);
    const stored = (channel: string) =>
      parts.some(
        ({ channel: own, status, reason }) => own === channel && (status === "queued" || reason === "already_stored"),
      );
    const settled = !this.#changing || shop.tenantId !== "acme";
    if (settled && stored("server") !== takesEvents(shop)) {
      this.wrong(`${shop.name} ${takesEvents(shop) ? "did not take" : "took"} an event: ${JSON.stringify(parts)}`);
    }
    const to = [...new Map(places.map((place) => [place.pixelId, place])).values()];
    const common = { shop, to, queuedAtMs: this.now, delivered: false, dropped: "no", closedAtMs: undefined } as const;
    const keep = (id: string, type: Item["type"]) => {
      this.items.set(`${shop.id} ${id}`, { ...common, id, type });
      this.counts.items += 1;
    };
    if (stored("server")) keep(`${shop.tenantId}-${n}`, "event");
    if (stored("audience")) keep(hashOf(mail), "member");
  }

  /** Whoever waits of a shop; `dropping` marks them. */
  waiting(shop: Shop): Item[] {
    return [...this.items.values()].filter((item) => item.shop === shop && !item.delivered);
  }

  /** What waits is dropped: all of it, or what is bound for one place. */
  drop(startedAtMs: number, place?: Place): void {
    for (const item of this.waiting(this.shop)) {
      if (item.dropped === "yes" || (place && !item.to.includes(place))) continue;
      // What came in the same moment may come after it; what was under way may still leave.
      const certain = startedAtMs - item.queuedAtMs > UNDER_WAY_MS && (!place || item.to.length === 1);
      item.dropped = certain ? "yes" : "maybe";
    }
  }

  /** What has arrived since the last look, held against what may leave. */
  poll(stepStartedAtMs?: number): void {
    const { inspect } = this.world.simulator;
    const from = this.#polledAtMs;
    const records = inspect.events.list();
    for (const record of records.slice(this.#seen)) {
      const who = `${record.eventId} at ${record.assetId}`;
      if (record.outcome !== "counted") {
        // A token that is no longer good: nothing is counted, and it is sent again.
        if (record.outcome === "duplicate") this.wrong(`${who} arrived twice`);
        continue;
      }
      const fits = [...this.items.values()].filter(
        ({ id, to }) => id === record.eventId && to.some(({ pixelId }) => pixelId === record.assetId),
      );
      const [item] = fits;
      if (!item) this.wrong(`${who} was never promised to that pixel`);
      else this.arrived(item, record.at, record.at, stepStartedAtMs);
    }
    this.#seen = records.length;
    const moved = inspect.segments().flatMap(({ id, adAccountId }) =>
      [...inspect.members(id).EMAIL_SHA256]
        .filter((hash) => !this.#members.has(`${id} ${hash}`))
        .filter((hash) => {
          this.#members.add(`${id} ${hash}`);
          return !this.promised(hash, adAccountId, from, stepStartedAtMs);
        })
        .map((hash) => ({ hash, adAccountId })),
    );
    for (const { hash, adAccountId } of moved) this.moved(hash, adAccountId);
    this.#polledAtMs = this.now;
    for (const item of this.items.values()) {
      item.closedAtMs = mayLeave(item) ? undefined : (item.closedAtMs ?? this.now);
    }
  }

  /** Whether a person who entered a segment was waiting to. */
  promised(hash: string, adAccountId: string, sinceMs: number, stepStartedAtMs: number | undefined): boolean {
    const item = [...this.items.values()].find(
      ({ id, to, delivered }) => id === hash && !delivered && to.some((place) => place.adAccountId === adAccountId),
    );
    if (item) this.arrived(item, sinceMs, this.now, stepStartedAtMs);
    return item !== undefined;
  }

  /** A destination that moves takes its members along; nobody else's. */
  moved(hash: string, adAccountId: string): void {
    const { pixelId = "" } = this.places.find((place) => place.adAccountId === adAccountId) ?? {};
    const along = [...this.items.values()].some(
      ({ id, shop, delivered }) => id === hash && delivered && shop.pixels.has(pixelId),
    );
    if (!along) this.wrong(`${hash} entered a segment of ${adAccountId} that nobody promised it to`);
  }

  arrived(item: Item, sinceMs: number, atMs: number, stepStartedAtMs: number | undefined): void {
    const { shop, id, closedAtMs } = item;
    if (item.delivered) this.wrong(`${id} of ${shop.name} arrived a second time`);
    const opened = stepStartedAtMs !== undefined && atMs >= stepStartedAtMs && mayLeave(item);
    if (closedAtMs !== undefined && sinceMs > closedAtMs + UNDER_WAY_MS && !opened)
      this.wrong(`${id} of ${shop.name} left ${sinceMs - closedAtMs} ms after it was to stay`);
    item.delivered = true;
    this.counts.delivered += 1;
  }

  /** Nothing happens for a while; then everything is where it belongs. */
  async quiet(): Promise<void> {
    await this.world.clock.sleep(QUIET_MS);
    this.poll();
    for (const item of this.items.values()) {
      if (!item.delivered && mustLeave(item)) this.wrong(`${item.type} ${item.id} of ${item.shop.name} did not leave`);
    }
    for (const shop of [this.shop, this.side, this.other]) await balanced(this, shop);
    await secretsKept(this);
    await shown(this);
  }

  /** What is gone is forgotten here; nothing of it may arrive any more. */
  forget(shop: Shop): void {
    shop.gone = true;
    this.counts.purged += this.waiting(shop).length;
  }

  /** Everything is put right: what was not dropped arrives. */
  async mend(): Promise<void> {
    const { snapchat, simulator } = this.world;
    const { shop } = this;
    const startedAtMs = this.now;
    if (shop.suspended) await snapchat.tenants.resume("acme");
    await signIn({ simulator, snapchat }, "acme", shop.id, "ada");
    const { destinations } = this.tenant(shop);
    await destinations.update(shop.id, { serverSide: true, conversionsToken: this.newToken() });
    if (!shop.enabled) await destinations.enable(shop.id);
    Object.assign(shop, { login: "good", token: "good", serverSide: true, enabled: true, onDisable: "hold" });
    for (const one of [shop, this.side]) one.suspended = false;
    this.poll(startedAtMs);
  }
}

export type { History };

function hashOf(mail: string): string {
  return crypto.hash("sha256", mail);
}
