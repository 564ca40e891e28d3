import { html } from "hono/html";
import { isSnapchatError, type LinkedSegment, type SnapchatError } from "snapchat-destination";
import type { Visit } from "../forms.ts";
import { listSegments } from "../segments.ts";
import { alert, destinationPage, form, type Html, pill } from "./layout.ts";

const STATES: Readonly<Record<LinkedSegment["state"], readonly [Parameters<typeof pill>[0], string]>> = {
  not_made: ["quiet", "Not made yet"],
  empty: ["quiet", "Empty"],
  processing: ["warn", "Matching"],
  too_small: ["warn", "Too small"],
  ready: ["good", "Ready"],
  paused: ["warn", "Paused"],
  deleted: ["bad", "Deleted"],
  stopped: ["quiet", "Stopped"],
  unknown: ["quiet", "Unknown"],
};

/** The CDP's segments beside their customer lists at Snapchat. */
export async function segmentsPage(visit: Visit): Promise<Awaited<Html>> {
  const { tenant, destination } = visit;
  const lists = await tenant.segments.list(destination.id).catch(refusal);
  const byKey = new Map(Array.isArray(lists) ? lists.map((list) => [list.key, list] as const) : []);
  const rows = listSegments(tenant.id).map((segment) => ({ ...segment, list: byKey.get(segment.key) }));
  return destinationPage(
    visit,
    "Segments",
    html`<p class="lead">Segments stay in step with customer lists in Ads Manager once “Person added to a segment” is on in the <a href="/destinations/${destination.id}/events">event list</a>.</p>
${Array.isArray(lists) ? "" : alert(lists)}
<ul class="segments">${rows.map((row) => segmentRow(visit, row))}</ul>`,
  );
}

function segmentRow(visit: Visit, { key, name, size, list }: Segment): Html {
  const [tone, word] = STATES[list?.state ?? "not_made"];
  const button = (action: string, words: string) =>
    form(
      visit,
      html`<input type="hidden" name="key" value="${key}"><input type="hidden" name="name" value="${name}"><button name="action" value="${action}"><span class="hidden">${name}: </span>${words}</button>`,
    );
  return html`<li class="card"><div class="title"><h2>${name}</h2>${pill(tone, word)}</div>
<p class="quiet">${size} ${size === 1 ? "person" : "people"} here${list?.size && list.state !== "processing" ? ` · ${list.size} matched at Snapchat` : ""}</p>
<p>${list?.words ?? "It is made at Snapchat when segments are switched on, or by “Sync now”."} ${list?.advice ?? ""}</p>
${list?.problem ? alert(list.problem) : ""}
<div class="buttons">${list?.state === "deleted" ? [button("recreate", "Make it again"), button("stop", "Let it go")] : button("sync", "Sync now")}</div></li>`;
}

interface Segment {
  key: string;
  name: string;
  size: number;
  list: LinkedSegment | undefined;
}

function refusal(error: unknown): SnapchatError {
  if (isSnapchatError(error)) return error;
  throw error;
}
