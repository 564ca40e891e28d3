import { createPlugins, definePlugin, type Plugins } from "../src/plugins/index.ts";
import { createRouter, presets, setToggle, sources } from "../src/workflow/index.ts";
import { atLeast, type Bench, perSecond, type Row } from "./row.ts";

const SCOPE = { tenantId: "acme", destinationId: "shop" };

/** An event's way with hooks that no plugin has, against the way that knows no hooks. */
export const rows: Bench = async ({ smoke }) => {
  const ms = smoke ? 5 : 100;
  const workflow = setToggle(presets.segment({ defaultCountry: "GB" }), "Order Completed", { server: true });
  const router = createRouter(workflow);
  const events = Array.from({ length: 500 }, (_, n) =>
    sources.segment.read({
      type: "track",
      event: "Order Completed",
      messageId: `m-${n}`,
      timestamp: "2026-01-01T00:00:00Z",
      properties: {
        order_id: `o-${n}`,
        total: 12.5,
        currency: "GBP",
        products: [{ product_id: "sku-1", price: 12.5 }],
      },
      context: { traits: { email: `person${n}@example.com` } },
    }),
  );

  const alone = () => {
    for (const event of events) router.route(event);
  };
  const withHooks = (plugins: Plugins) => async () => {
    const enriched = plugins.enrich ? (await plugins.enrich(events, SCOPE)).events : events;
    for (const event of enriched) {
      const { decisions } = router.route(event);
      if (!plugins.beforeSend) continue;
      for (const { event: mapped } of decisions) if (mapped) await plugins.beforeSend(mapped, SCOPE);
    }
  };
  const one = createPlugins([
    definePlugin({ name: "one", enrich: (all) => all.map(() => undefined), beforeSend: () => undefined }),
  ]);

  const rates = { alone: [] as number[], none: [] as number[], one: [] as number[] };
  for (let turn = 0; turn < 9; turn++) {
    rates.alone.push(await perSecond(events.length, ms, alone));
    rates.none.push(await perSecond(events.length, ms, withHooks(createPlugins([]))));
    rates.one.push(await perSecond(events.length, ms, withHooks(one)));
  }
  const limit = best(rates.alone);
  const none = best(rates.none);
  return [
    row("no plugins: events routed", none, limit, [atLeast(0.9, "limit", "routing without hooks")]),
    row("one plugin that enriches and looks before sending", best(rates.one), limit, []),
  ];
};

function row(name: string, value: number, limit: number, goals: Row["goals"]): Row {
  return { name, value, unit: "events/s", limit, goals };
}

/** The best of several turns: what a busy machine takes away is not ours. */
function best(rates: number[]): number {
  return Math.max(...rates);
}
