import { EVENT_NAMES } from "../conversions/names.ts";
import { ERRORS } from "../conversions/problems.ts";
import type { Outcome } from "../conversions/store.ts";
import { createVerdict, type Verdict } from "../conversions/verdict.ts";
import type { Core, Trace } from "../core.ts";
import { type Incoming, isObject, json, type Outgoing, parseJson, text } from "../message.ts";
import { pixelScript } from "./script.ts";

const SHADOW = "/tr-shadow";
const BUILD = "3.59.0-simulator";
const CONFIG = /^\/config\/[^/]+\/([0-9a-f-]{36})\.(js|json)$/;

/** What the script sent that is not an event: dropped calls, micro-data, scanned forms. */
export interface PixelReport {
  at: number;
  kind: "dropped" | "micro_data" | "form";
  fields: Record<string, string>;
}

const KEPT_REPORTS = 10_000;

/** The pixel script's host, and what the script talks to on `tr.snapchat.com`. */
export function createPixel(core: Core, sleep: (ms: number) => Promise<void>) {
  const { knobs, store, endpoints } = core;
  const reports: PixelReport[] = [];
  const verdict = createVerdict();

  async function handle(incoming: Incoming, trace: Trace): Promise<Outgoing> {
    if (incoming.path === "/scevent.min.js") return script(incoming.query.get("build") ?? BUILD);
    const shadow = incoming.path.startsWith(SHADOW);
    const path = shadow ? incoming.path.slice(SHADOW.length) : incoming.path;
    const answer = await route(incoming, trace, path, shadow);
    answer.headers = { ...answer.headers, ...crossOrigin(incoming) };
    return answer;
  }

  async function route(incoming: Incoming, trace: Trace, path: string, shadow: boolean): Promise<Outgoing> {
    if (incoming.method === "OPTIONS") return { status: 204, body: "" };
    const config = CONFIG.exec(path);
    if (config) return configuration(config[1] as string, config[2] as string);
    if (path === "/p") {
      const hits = hitsOf(incoming);
      trace.items = hits.length;
      for (const hit of hits) takeHit(hit, trace, shadow);
      return incoming.method === "GET" ? pixelImage() : text(200, "");
    }
    if (path === "/r") return take("dropped", incoming);
    if (path === "/hm") return take("micro_data", incoming);
    if (path === "/collector/prep_mapping") return take("form", incoming);
    return text(404, "Not Found");
  }

  function script(build: string): Outgoing {
    return {
      status: 200,
      contentType: "text/javascript; charset=utf-8",
      headers: { "cache-control": "no-store", "access-control-allow-origin": "*" },
      body: pixelScript({
        collector: endpoints.conversions,
        shadow: knobs.shadowOnLocalhost ? endpoints.conversions + SHADOW : endpoints.conversions,
        throttleMs: knobs.pixelThrottleMs,
        configTimeoutMs: knobs.pixelConfigTimeoutMs,
        scidForm: knobs.scidForm,
        build,
        script: `${endpoints.pixelScript}/scevent.min.js`,
      }),
    };
  }

  async function configuration(id: string, form: string): Promise<Outgoing> {
    if (knobs.pixelConfigDelayMs > 0) await sleep(knobs.pixelConfigDelayMs);
    const pixel = core.index.assets.get(id);
    if (knobs.pixelConfigFails || pixel?.kind !== "web") return text(404, "Not Found");
    const { pixelAutomatedMatching, pixelMicroData, pixelNewerBuild } = knobs;
    const config = {
      am: pixelAutomatedMatching,
      md: pixelMicroData,
      ...(pixelNewerBuild === "" ? {} : { build: pixelNewerBuild }),
    };
    if (form === "json") return json(200, config, { "cache-control": "no-store" });
    return {
      status: 200,
      contentType: "text/javascript; charset=utf-8",
      headers: { "cache-control": "no-store" },
      body: `window.snaptr&&snaptr.setConfig&&snaptr.setConfig(${JSON.stringify(id)},${JSON.stringify(config)});`,
    };
  }

  /** The pixel is never told what became of its event. */
  function takeHit(fields: Record<string, string>, trace: Trace, shadow: boolean): void {
    judge(fields, verdict);
    let outcome: Exclude<Outcome, "counted" | "duplicate"> | undefined;
    if (verdict.errors.length > 0) outcome = "rejected";
    else if (shadow) outcome = "shadow";
    const assetId = fields.pid ?? "";
    store.take(verdict, { channel: "pixel", assetId, at: core.now(), request: trace.number, event: fields }, outcome);
  }

  function judge(fields: Record<string, string>, judged: Verdict): void {
    const name = (fields.ev ?? "").trim().toUpperCase();
    const time = Number(fields.ts);
    judged.errors.length = 0;
    judged.warnings.length = 0;
    judged.name = name;
    judged.eventId = fields.cdid || undefined;
    judged.orderId = fields.e_tid || undefined;
    judged.timeMs = time;
    judged.source = "web";
    judged.test = false;
    if (core.index.assets.get(fields.pid ?? "")?.kind !== "web") judged.errors.push(ERRORS.pixelUnknown);
    if (name === "") judged.errors.push(ERRORS.nameMissing);
    else if (!EVENT_NAMES.has(name) && knobs.unknownEventNames === "reject") judged.errors.push(ERRORS.nameUnknown);
    if (!Number.isFinite(time) || time <= 0) judged.errors.push(ERRORS.timeInvalid);
  }

  function take(kind: PixelReport["kind"], incoming: Incoming): Outgoing {
    for (const fields of hitsOf(incoming)) {
      if (reports.length >= KEPT_REPORTS) reports.shift();
      reports.push({ at: core.now(), kind, fields });
    }
    return text(200, "");
  }

  return {
    handle,
    reports,
    clear() {
      reports.length = 0;
    },
  };
}

/** One hit in the query of a GET or a form, several in a JSON list. */
function hitsOf(incoming: Incoming): Record<string, string>[] {
  if (incoming.method === "GET") return [Object.fromEntries(incoming.query)];
  if (!(incoming.headers["content-type"] ?? "").includes("json")) {
    return [Object.fromEntries(new URLSearchParams(incoming.body))];
  }
  const body = parseJson(incoming.body);
  const list = Array.isArray(body) ? body : [body];
  return list
    .filter(isObject)
    .map((hit) => Object.fromEntries(Object.entries(hit).map(([key, value]) => [key, String(value)])));
}

function crossOrigin(incoming: Incoming): Record<string, string> {
  const origin = incoming.headers.origin;
  if (origin === undefined) return { "access-control-allow-origin": "*" };
  return {
    "access-control-allow-origin": origin,
    "access-control-allow-credentials": "true",
    "access-control-allow-headers": "content-type",
    "access-control-allow-methods": "GET, POST, OPTIONS",
    vary: "origin",
  };
}

function pixelImage(): Outgoing {
  return {
    status: 200,
    contentType: "image/svg+xml",
    body: '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>',
  };
}
