import type { Page, Records } from "../storage/ports.ts";
import { decode } from "./codec.ts";
import type { StoredDestination, Versioned } from "./destination.ts";
import { checkId, checkTenantId, notFound } from "./failure.ts";
import { keys } from "./keys.ts";

/** @throws {SnapchatError} `not_found`, also for another tenant's id */
export async function readDestination(records: Records, tenantId: string, id: string): Promise<Versioned> {
  checkTenantId(tenantId);
  checkId(id);
  const record = await records.get(keys.destination(tenantId, id));
  if (!record) throw notFound("destination");
  return { stored: decode<StoredDestination>(record.value), version: record.version };
}

/** In order of creation. `after`: the id of the last one seen. */
export async function listDestinations(
  records: Records,
  tenantId: string,
  { after, limit = 100 }: { after?: string | undefined; limit?: number | undefined } = {},
): Promise<Page<Versioned>> {
  checkTenantId(tenantId);
  if (after !== undefined) checkId(after);
  const count = Math.min(Math.max(1, limit), 1_000);
  const page = await records.list(keys.destinations(tenantId), {
    ...(after === undefined ? {} : { after: keys.destination(tenantId, after) }),
    limit: count,
  });
  const items = page.map(({ value, version }) => ({ stored: decode<StoredDestination>(value), version }));
  const last = items.at(-1);
  return { items, ...(page.length === count && last ? { after: last.stored.id } : {}) };
}

/** Every destination of a tenant, page by page. */
export async function* everyDestination(records: Records, tenantId: string): AsyncGenerator<Versioned> {
  let after: string | undefined;
  do {
    const page: Page<Versioned> = await listDestinations(records, tenantId, { after, limit: 200 });
    yield* page.items;
    after = page.after;
  } while (after !== undefined);
}
