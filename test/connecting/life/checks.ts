import type { History } from "./history.ts";
import type { Shop } from "./model.ts";

/** Delivered, waiting and dropped are all there is. */
export async function balanced(history: History, shop: Shop): Promise<void> {
  const { dropped = 0, ...others } = await deadOf(history, shop);
  const dead = Object.entries(others).filter(([, count]) => count > 0);
  if (dead.length > 0) history.wrong(`dead letters of ${shop.name}: ${JSON.stringify(dead)}`);
  const left = history.waiting(shop);
  const waits = await waitingItems(history, shop);
  // Taking members along to another ad account is work of its own, and dropped with the rest.
  const extra = waits + dropped - left.length;
  if (extra < 0 || extra > shop.moves)
    history.wrong(`${shop.name}: ${waits} wait and ${dropped} were dropped, of ${left.length} that did not arrive`);
  const certain = left.filter((item) => item.dropped === "yes").length;
  const possible = left.filter((item) => item.dropped !== "no").length;
  if (dropped < certain || dropped > possible + shop.moves)
    history.wrong(`${shop.name}: ${dropped} were dropped, expected ${certain} to ${possible}`);
  if (shop === history.shop) history.counts.dropped = Math.max(history.counts.dropped, dropped);
}

async function waitingItems({ world }: History, { id }: Shop): Promise<number> {
  const [depth] = await world.storage.outbox.depth([id]);
  return depth?.items ?? 0;
}

async function deadOf({ world }: History, { id }: Shop): Promise<Record<string, number>> {
  const [depth] = await world.storage.outbox.depth([id]);
  return depth?.dead ?? {};
}

/** What a settings page shows is what was done. */
export async function shown(history: History): Promise<void> {
  const { shop, world } = history;
  const destination = await history.tenant(shop).destinations.get(shop.id);
  const { name, enabled, serverSide, adAccountId, pixelId, connection } = destination;
  const seen = JSON.stringify([name, enabled, serverSide, adAccountId, pixelId, connection !== undefined]);
  const { place, login } = shop;
  const expected = [shop.name, shop.enabled, shop.serverSide, place.adAccountId, place.pixelId, login !== "none"];
  if (seen !== JSON.stringify(expected)) history.wrong(`shown ${seen}, expected ${JSON.stringify(expected)}`);
  if (connection?.status !== "reauth_required") return;
  if (login !== "lost") history.wrong("a good login is shown as lost");
  const told = world.reauth.some(({ destinationId }) => destinationId === shop.id);
  if (!told) history.wrong("nobody was told of a lost login");
}

/** Logins and tokens are kept as long as a destination uses them. */
export async function secretsKept(history: History): Promise<void> {
  const { shop, side, world } = history;
  const logins = await world.storage.records.list("connection/acme/", { limit: 100 });
  const using = [shop, side].filter(({ login }) => login !== "none").length;
  if (logins.length !== using) history.wrong(`${logins.length} logins are kept for ${using} destinations`);
  const token = await world.storage.records.list(`secret/acme/${shop.id}/`, { limit: 100 });
  if (token.length > 0 !== (shop.token !== "none")) history.wrong("a token is kept that was removed, or the reverse");
}

/** Nothing is kept of what is gone but the audit trail, the tenant's own record, and stamps that caches go by. */
export async function forgotten(history: History, shops: readonly Shop[], key: string): Promise<void> {
  const { records, outbox, members } = history.world.storage;
  const kept = (await records.list("", { limit: 1_000 })).map((record) => record.key);
  const left = kept.filter((own) => own.includes(key) && !/^(audit|stamp|tenant)\//.test(own));
  if (left.length > 0) history.wrong(`left behind: ${left.join(", ")}`);
  const people = [...history.items.values()].filter(({ type }) => type === "member");
  const hashes = people.map(({ id }) => Buffer.from(id, "hex"));
  for (const shop of shops) {
    const items = await waitingItems(history, shop);
    if (items > 0) history.wrong(`${shop.name} is gone and ${items} items are left`);
    const dead = await outbox.dead.list({ destinationId: shop.id, limit: 10 });
    if (dead.items.length > 0) history.wrong(`${shop.name} is gone and its dead letters are left`);
    const found = await members?.find("acme", hashes);
    const here = found?.some(({ segment }) => segment.destinationId === shop.id);
    if (here) history.wrong(`${shop.name} is gone, its members are not`);
  }
}

/** Every change that took effect left a line with its actor. */
export async function audited(history: History): Promise<void> {
  const actors = new Set<string>();
  for await (const line of history.world.snapchat.tenant("acme").audit.export())
    actors.add((JSON.parse(line) as { actor: string }).actor);
  const missing = history.done.filter((actor) => !actors.has(actor));
  if (missing.length > 0) history.wrong(`no audit line of ${missing.join(", ")}`);
}
