/** One plugin per hook; `docs/plugins.md` shows them, the tests run them through `testPlugin`. */
import { definePlugin } from "../../src/plugins/index.ts";

/** What stands for the host's own systems here. */
export interface Host {
  customers: {
    find(userIds: readonly string[]): Promise<ReadonlyMap<string, { id: string; email?: string; tier?: string }>>;
    optedOut(customerId: string): Promise<boolean>;
  };
  lists: {
    all(tenantId: string): Promise<{ slug: string; title: string }[]>;
    rows(tenantId: string, slug: string): AsyncIterable<{ email: string; customerId: string }>;
  };
  eventNames(tenantId: string): Promise<string[]>;
  kms: {
    current(tenantId: string): Promise<{ id: string; key: Uint8Array }>;
    byId(id: string): Promise<Uint8Array | undefined>;
  };
  mail(tenantId: string, subject: string): Promise<void>;
  log(lines: readonly object[]): Promise<void>;
}

export const plugins = (host: Host) => [
  // #region source
  definePlugin({
    name: "till",
    source: {
      name: "till",
      read(event) {
        const receipt = (typeof event === "object" && event !== null ? event : {}) as {
          number?: unknown;
          at?: unknown;
          card?: unknown;
          total?: unknown;
        };
        return {
          source: "till",
          name: "Sale",
          kind: "track",
          ...(typeof receipt.number === "string" ? { id: receipt.number } : {}),
          ...(typeof receipt.at === "number" ? { timeMs: receipt.at } : {}),
          ids: { ...(typeof receipt.card === "string" ? { userId: receipt.card } : {}), external: {} },
          traits: {},
          properties: { value: receipt.total, currency: "GBP", order_id: receipt.number },
          products: [],
          context: { channel: "offline" },
          audiences: [],
          issues: [],
        };
      },
    },
  }),
  // #endregion
  // #region enrich
  definePlugin({
    name: "crm",
    async enrich(events) {
      const ids = events.flatMap(({ ids }) => ids.userId ?? []);
      const customers = await host.customers.find(ids); // one query for the batch
      return events.map(({ ids }) => {
        const customer = customers.get(ids.userId ?? "");
        return customer && { traits: { email: customer.email, tier: customer.tier } };
      });
    },
  }),
  // #endregion
  // #region resolveIdentity
  definePlugin({
    name: "identity",
    async resolveIdentity({ userId }) {
      const customer = userId && (await host.customers.find([userId])).get(userId);
      return customer
        ? { personKey: customer.id, identifiers: { ...(customer.email ? { em: customer.email } : {}) } }
        : undefined;
    },
  }),
  // #endregion
  // #region consent
  definePlugin({
    name: "preferences",
    async consent({ personKey, userId }, purpose) {
      if (purpose !== "audiences") return undefined; // no opinion on events
      const customer = personKey ?? userId;
      return customer === undefined ? undefined : !(await host.customers.optedOut(customer));
    },
  }),
  // #endregion
  // #region beforeSend
  definePlugin({
    name: "house-rules",
    beforeSend(event) {
      const { value } = event.custom_data ?? {};
      if (value === 0) return { drop: "free order" };
      return { ...event, custom_data: { ...event.custom_data, status: "confirmed" } };
    },
  }),
  // #endregion
  // #region functions
  definePlugin({
    name: "margins",
    functions: { net: (gross) => (typeof gross === "number" ? Math.round(gross / 0.012) / 100 : undefined) },
    operators: { weekday: (found, value) => typeof found === "number" && new Date(found).getUTCDay() === value },
  }),
  // #endregion
  // #region segments
  definePlugin({
    name: "lists",
    segments: {
      async list({ tenantId }) {
        const lists = await host.lists.all(tenantId);
        return lists.map(({ slug, title }) => ({ key: slug, name: title }));
      },
      async *members(key, { tenantId }) {
        for await (const { email, customerId } of host.lists.rows(tenantId, key))
          yield { email, personKey: customerId };
      },
    },
  }),
  // #endregion
  // #region catalogue
  definePlugin({
    name: "event-names",
    catalogue: ({ tenantId }) => host.eventNames(tenantId),
  }),
  // #endregion
  // #region keys
  definePlugin({
    name: "kms",
    keys: {
      sealingKey: (tenantId) => host.kms.current(tenantId),
      openingKey: (id) => host.kms.byId(id),
    },
  }),
  // #endregion
  // #region fetch
  definePlugin({
    name: "slow-log",
    async fetch(request, next) {
      const started = performance.now();
      const response = await next(request);
      const { hostname } = new URL(request.url); // the rest of the address holds a token
      if (performance.now() - started > 5_000) await host.log([{ hostname, status: response.status }]);
      return response;
    },
  }),
  // #endregion
  // #region notify
  definePlugin({
    name: "mail",
    async notify({ type, tenantId }) {
      if (type === "reauth_required") await host.mail(tenantId, "Snapchat needs you to sign in again");
    },
  }),
  // #endregion
  // #region audit
  definePlugin({
    name: "audit-log",
    audit: (lines) => host.log(lines),
    receipts: (lines) => host.log(lines),
  }),
  // #endregion
  // #region messages
  definePlugin({
    name: "german",
    messages: (code, { locale }) =>
      locale === "de" && code === "reauth_required" ? "Bitte bei Snapchat neu anmelden." : undefined,
  }),
  // #endregion
];
