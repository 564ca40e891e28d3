import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Host, plugins } from "../../examples/plugins/plugins.ts";
import { pluginsPage } from "../../scripts/generate-plugins-doc.ts";
import { HOOKS } from "../../src/plugins/index.ts";
import { testPlugin } from "../../src/testing/plugin.ts";

const key = new Uint8Array(32).fill(3);

const host: Host = {
  customers: {
    find: async (ids) => new Map(ids.map((id) => [id, { id: `c-${id}`, email: `${id}@example.com` }])),
    optedOut: async (id) => id === "c-2",
  },
  lists: {
    all: async () => [{ slug: "vip", title: "VIP" }],
    rows: async function* (_, slug) {
      if (slug === "vip") yield { email: "person@example.com", customerId: "c-1" };
    },
  },
  eventNames: async () => ["Tasting booked"],
  kms: { current: async () => ({ id: "k1", key }), byId: async (id) => (id === "k1" ? key : undefined) },
  mail: async () => {},
  log: async () => {},
};

describe("docs/plugins.md", () => {
  it("says what the table of hooks and the examples say", () => {
    const file = readFileSync(new URL("../../docs/plugins.md", import.meta.url), "utf8");
    expect(file, "run: npx tsx scripts/generate-plugins-doc.ts").toBe(pluginsPage());
  });

  it("has an example of every hook", () => {
    const shown = plugins(host).flatMap((plugin) => Object.keys(plugin).filter((hook) => hook in HOOKS));
    expect(shown.sort()).toEqual(Object.keys(HOOKS).sort());
  });

  it.each(plugins(host).map((plugin) => [plugin.name, plugin] as const))(
    "its example %s keeps its promises",
    async (_, plugin) => {
      const { hooks } = await testPlugin(plugin);
      expect(hooks.filter(({ ok }) => !ok)).toEqual([]);
    },
  );
});
