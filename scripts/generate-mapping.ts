/**
 * Writes `docs/mapping.md`: every row of every preset, run: the input, the JSON that Snapchat gets, judged by the
 * simulator, and the pixel's call.
 */
import { writeFileSync } from "node:fs";
import { ConversionsClient, prepareEvent } from "../src/capi/index.ts";
import { hashedMember } from "../src/identity/index.ts";
import { pixelTrackCall } from "../src/pixel/index.ts";
import type { Rule, Workflow } from "../src/rules/workflow.ts";
import { createSimulator } from "../src/testing/simulator/index.ts";
import { createRouter, presets, setToggle, sources } from "../src/workflow/index.ts";
import { AT, customerlabsSample, envelopeSample } from "./mapping-samples.ts";

const SOURCES = ["customerlabs", "segment", "rudderstack"] as const;
type SourceName = (typeof SOURCES)[number];

const TITLES: Record<SourceName, string> = {
  customerlabs: "CustomerLabs",
  segment: "Segment",
  rudderstack: "RudderStack",
};
const NOW_MS = Date.parse(AT) + 60_000;
const WIDTH = 110;

/** JSON with as much on a line as fits. */
function pretty(value: unknown, indent = ""): string {
  const inline = JSON.stringify(value, null, 1)?.replace(/\n\s*/g, " ") ?? "";
  if (typeof value !== "object" || value === null || indent.length + inline.length <= WIDTH) return inline;
  const inner = `${indent}  `;
  const list = Array.isArray(value);
  const lines = list
    ? value.map((entry) => `${inner}${pretty(entry, inner)}`)
    : Object.entries(value).map(([key, entry]) => `${inner}${JSON.stringify(key)}: ${pretty(entry, inner)}`);
  const [open, close] = list ? "[]" : "{}";
  return `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}

/** Folded: the page is looked something up in, and not read from end to end. */
const block = (title: string, value: unknown) =>
  `<details><summary>${title}</summary>\n\n\`\`\`json\n${pretty(value)}\n\`\`\`\n\n</details>\n`;

/** Everything on, as a marketer who wants it all. */
function workflowOf(source: SourceName): Workflow {
  let workflow = presets[source]({ defaultCountry: "GB" });
  for (const { on, to, map } of workflow.rules) {
    const client = !to.startsWith("segment:") && map?.action_source === undefined;
    workflow = setToggle(workflow, on, { server: true, ...(client ? { client } : {}) });
  }
  return workflow;
}

interface Judge {
  pixelId: string;
  /** Throws where Snapchat would refuse. */
  accept(json: string): Promise<void>;
}

async function section(source: SourceName, rule: Rule, workflow: Workflow, judge: Judge): Promise<string> {
  const input = source === "customerlabs" ? customerlabsSample(rule) : envelopeSample(rule, source);
  const { decisions } = createRouter(workflow).route(sources[source].read(input));
  const own = decisions.filter((decision) => decision.rule === rule.id && decision.status === "send");
  if (own.length === 0) throw new Error(`${source}, ${rule.on}: ${JSON.stringify(decisions)}`);
  const parts = [`### ${rule.on} → ${rule.to}\n`, block("The event", input)];
  for (const { channel, event, membership } of own) {
    if (membership) {
      const email = hashedMember("email", String(membership.user.em));
      parts.push(block("The change of membership", { segment: membership.key, op: membership.op, email }));
    } else if (event && channel === "server") {
      const prepared = prepareEvent(event, { nowMs: NOW_MS, defaultCountry: "GB", integration: "example-cdp" });
      if (!prepared.ok) throw new Error(`${source}, ${rule.on}: ${prepared.reason}`);
      await judge.accept(prepared.json);
      parts.push(block("Sent from the server", JSON.parse(prepared.json)));
    } else if (event) {
      parts.push(
        block("Called in the browser", pixelTrackCall(event, { pixelId: judge.pixelId, integration: "example-cdp" })),
      );
    }
  }
  return parts.join("\n");
}

/** The page, out of real runs: nothing on it is written by hand but the events. */
export async function mappingPage(): Promise<string> {
  const simulator = await createSimulator({ listen: false, clock: { now: () => NOW_MS } });
  const client = new ConversionsClient({ endpoints: simulator.endpoints, fetch: simulator.fetch });
  const { pixel, conversionsToken, mobileApp } = simulator.world.main;
  const judge: Judge = {
    pixelId: pixel.id,
    async accept(json) {
      const asset = json.includes('"action_source":"MOBILE_APP"') ? mobileApp.id : pixel.id;
      const { outcomes } = await client.sendPrepared(asset, [{ json }], { token: conversionsToken });
      if (outcomes[0]?.status !== "delivered") throw new Error(`${JSON.stringify(outcomes)} ${json}`);
    },
  };
  const parts = [HEAD];
  for (const source of SOURCES) {
    const workflow = workflowOf(source);
    parts.push(`## ${TITLES[source]}\n`);
    for (const rule of workflow.rules) parts.push(await section(source, rule, workflow, judge));
  }
  await simulator.close();
  return parts.join("\n");
}

const HEAD = `# Mapping gallery

Every row of the three presets, run: an event as the platform sends it, the JSON that Snapchat gets from the server, and
the call a browser makes with the same id. The simulator has accepted each of them. Made-up people, a shop that does not
exist, phone and address ranges reserved for examples; only the purchases carry all nine identifiers.

Which call was made with which id is explained in [ids](ids.md); what is repaired on the way in [repairs](repairs.md).
Written by \`node scripts/generate-mapping.ts\`.
`;

if (process.argv[1] === import.meta.filename) {
  writeFileSync(new URL("../docs/mapping.md", import.meta.url), await mappingPage());
}
