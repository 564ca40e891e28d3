import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { mappingPage } from "../../scripts/generate-mapping.ts";
import { workflowSchemaFile } from "../../scripts/generate-workflow-schema.ts";
import { parseWorkflow, presets } from "../../src/workflow/index.ts";

describe("the mapping gallery", () => {
  const page = readFileSync(new URL("../../docs/mapping.md", import.meta.url), "utf8");

  it("is what the presets make of its events today; run `node scripts/generate-mapping.ts` where it is not", async () => {
    expect(page).toBe(await mappingPage());
  });

  it("shows every row of every source, with both calls of an event on one id", () => {
    for (const source of ["customerlabs", "segment", "rudderstack"] as const) {
      for (const { on, to } of presets[source]().rules) expect(page).toContain(`### ${on} → ${to}`);
    }
    const bought = page.slice(page.indexOf("### Order Completed"), page.indexOf("### Signed Up"));
    expect(bought).toContain('"event_id": "segment-order_completed"');
    expect(bought).toContain('"client_dedup_id": "segment-order_completed"');
  });

  it("shows no identifier of a person but in the event that came in", () => {
    const sent = page
      .split(/(?:Sent from the server|Called in the browser|The change of membership)<\/summary>/)
      .slice(1);
    expect(sent.length).toBeGreaterThan(50);
    for (const part of sent) expect(part.split("```")[1]).not.toMatch(/jane|o’brien|900123|sw1a/i);
  });
});

describe("the published schema", () => {
  it("is the one that workflows are parsed by; run `node scripts/generate-workflow-schema.ts` where it is not", () => {
    const file = readFileSync(new URL("../../docs/workflow.schema.json", import.meta.url), "utf8");
    expect(JSON.parse(file)).toEqual(JSON.parse(workflowSchemaFile()));
  });

  it("takes every preset, and a newer format is told apart from a wrong workflow", () => {
    for (const preset of Object.values(presets)) expect(parseWorkflow(preset())).toEqual(preset());
    expect(() => parseWorkflow({ ...presets.segment(), format: 2 })).toThrow(
      expect.objectContaining({ code: "workflow_newer", fix: expect.stringContaining("Update") }),
    );
  });
});
