import { describe, expect, it } from "vitest";
import { createTenants, settingsSchema } from "../../src/destinations/index.ts";
import { mergeSettings } from "../../src/destinations/settings.ts";
import { ACCOUNT, createWorld, PIXEL, TOKEN } from "./fakes/world.ts";

describe("the audit trail", () => {
  it("has one line for every change, with who made it and no secret", async () => {
    const { context, destinations, signIn, records } = createWorld();
    const actor = "user-7";
    const { id } = await destinations.create("acme", { name: "Shop" }, { actor });
    await destinations.connect("acme", id, signIn("acme"), { actor });
    await destinations.update(
      "acme",
      id,
      { adAccountId: ACCOUNT, pixelId: PIXEL, conversionsToken: TOKEN, workflow: { rules: [] } },
      { actor },
    );
    await destinations.enable("acme", id, { actor });
    await destinations.enable("acme", id, { actor });
    await destinations.rename("acme", id, "Secret project", { actor });
    await destinations.disable("acme", id, { actor, queue: "finish" });
    await destinations.disconnect("acme", id, { actor });
    await createTenants(context).suspend("acme", { actor });
    await createTenants(context).resume("acme");
    await destinations.delete("acme", id, { actor });
    const { items } = await context.audit.list("acme");
    expect(items.map((line) => [line.action, line.actor])).toEqual([
      ["destination.created", actor],
      ["destination.connected", actor],
      ["destination.updated", actor],
      ["destination.enabled", actor],
      ["destination.updated", actor],
      ["destination.disabled", actor],
      ["destination.disconnected", actor],
      ["tenant.suspended", actor],
      ["tenant.resumed", "host"],
      ["destination.deleting", actor],
      ["destination.deleted", actor],
    ]);
    expect(items[2]?.detail).toEqual({
      changed: "adAccountId,pixelId,conversionsToken,workflow",
      adAccountId: ACCOUNT,
      pixelId: PIXEL,
      conversionsToken: "accepted",
    });
    expect(JSON.stringify(items)).not.toContain("Secret project");
    expect(JSON.stringify(items)).not.toContain("canary");
    expect([...records.rows.keys()].filter((key) => key.startsWith("pending/"))).toEqual([]);
  });

  it("pages, filters by destination and time, and exports NDJSON", async () => {
    const { context, destinations, clock } = createWorld();
    const a = await destinations.create("acme", { name: "A" });
    clock.advance(60_000);
    const b = await destinations.create("acme", { name: "B" });
    for (let i = 0; i < 7; i++) await destinations.rename("acme", i % 2 ? a.id : b.id, `N${i}`);
    const { audit } = context;
    const paged = [];
    let after: string | undefined;
    do {
      const page = await audit.list("acme", { limit: 2, ...(after ? { after } : {}) });
      paged.push(...page.items);
      after = page.after;
    } while (after);
    expect(paged).toHaveLength(9);
    expect(paged.map(({ id }) => id)).toEqual(paged.map(({ id }) => id).sort());
    expect((await audit.list("acme", { destinationId: a.id, limit: 100 })).items).toHaveLength(4);
    expect((await audit.list("acme", { since: b.createdAt })).items).toHaveLength(8);
    let text = "";
    for await (const line of audit.export("acme")) text += line;
    expect(
      text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(paged);
  });

  it("keeps a line for 400 days", async () => {
    const { context, destinations, clock } = createWorld();
    await destinations.create("acme", { name: "A" });
    clock.advance(400 * 86_400_000 - 1);
    expect((await context.audit.list("acme")).items).toHaveLength(1);
    clock.advance(1);
    expect((await context.audit.list("acme")).items).toEqual([]);
  });
});

describe("settings", () => {
  it.each([
    [{ integration: "my-cdp" }],
    [{ testEventCode: "TEST123", validateOnly: true }],
    [{ allowFields: ["user_data.em", "custom_data.value"], urlParameters: ["utm_source"] }],
    [{ ageLimits: { WEB: 7 * 86_400_000 }, policy: "strict", limitedUse: true }],
    [
      {
        audience: {
          keyPaths: ["properties.segment_id"],
          nameTemplate: "Acme {name}",
          retentionInDays: 0,
          identifiers: ["email"],
        },
      },
    ],
  ] as const)("takes %j", (settings) => {
    expect(mergeSettings({}, settings)).toEqual(settings);
  });

  it.each([
    [{ integration: "has spaces" }, "settings.integration"],
    [{ validateOnly: "yes" }, "settings.validateOnly"],
    [{ ageLimits: { WEB: 1 } }, "settings.ageLimits.WEB"],
    [{ ageLimits: { WEB: 99 * 86_400_000 } }, "settings.ageLimits.WEB"],
    [{ ageLimits: { RADIO: 60_000 } }, "settings.ageLimits"],
    [{ policy: "lenient" }, "settings.policy"],
    [{ allowFields: "email" }, "settings.allowFields"],
    [{ allowFields: ["a..b"] }, "settings.allowFields.0"],
    [{ audience: { identifiers: ["fax"] } }, "settings.audience.identifiers.0"],
    [{ audience: { nameTemplate: "no braces" } }, "settings.audience.nameTemplate"],
    [{ audience: { retentionInDays: 1.5 } }, "settings.audience.retentionInDays"],
    [{ colour: "red" }, "colour"],
    [{ ["__proto__"]: { policy: "strict" } }, "__proto__"],
  ])("refuses %j and names %s", (settings, path) => {
    const refused = () => mergeSettings({}, settings as never);
    expect(refused).toThrow(expect.objectContaining({ code: "settings_invalid" }));
    expect(refused).toThrow(path);
  });

  it("merges a change key by key, and removes with null", () => {
    const before = mergeSettings({}, { policy: "strict", defaultCountry: "GB" });
    expect(mergeSettings(before, { defaultCountry: null, limitedUse: true })).toEqual({
      policy: "strict",
      limitedUse: true,
    });
    expect(before).toEqual({ policy: "strict", defaultCountry: "GB" });
  });

  it("are described by a schema in which every field has words for a form", () => {
    for (const [name, field] of Object.entries(settingsSchema.properties)) expect("title" in field, name).toBe(true);
  });
});
