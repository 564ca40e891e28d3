import { html } from "hono/html";
import type { EventRow, EventToggle, ReasonWords } from "snapchat-destination/workflow";
import type { Visit } from "../forms.ts";
import { ago, destinationPage, form, type Html } from "./layout.ts";

/** A reason that concerns more rows than this is said once, above the list. */
const SAID_ONCE = 3;

/** Every event with its two toggles; what cannot be switched says why. */
export async function eventsPage(visit: Visit): Promise<Awaited<Html>> {
  const { rows } = await visit.tenant.events.list(visit.destination.id);
  const common = commonReasons(rows);
  const mapped = rows.filter(({ rule }) => rule !== undefined);
  const others = rows.filter(({ rule }) => rule === undefined);
  return destinationPage(
    visit,
    "Events",
    html`<p class="lead">Server-side events leave from our servers, client-side events from the visitor's browser. With both on, they carry one id and Snapchat counts the event once.</p>
${[...common].map(([reason, words]) => html`<p class="notice warn" id="${reason}">${words.message} ${words.fix}</p>`)}
${form(
  visit,
  html`<ul class="events">${mapped.map((row) => eventRow(row, common))}</ul>
<div class="bar"><button name="action" value="toggles" class="first">Save events</button></div>`,
)}
${
  others.length > 0
    ? html`<section class="card" aria-labelledby="others"><h2 id="others">Seen, and in no row</h2><ul>${others.map(({ label, seen, lastSeenMs }) => html`<li>${label} <span class="quiet">${seen ?? 0} times, last ${ago(lastSeenMs)}</span></li>`)}</ul></section>`
    : ""
}`,
  );
}

function eventRow(
  { label, rule = "", target, server, client, seen, lastSeenMs, lastDeliveredMs }: EventRow,
  common: Common,
): Html {
  // Removals come and go with additions: a list that only grows is wrong.
  const coupled = target === "segment:remove";
  const said = coupled ? "Comes with “Person added to a segment”." : undefined;
  const why = [server, client].flatMap(({ reason, words }) =>
    words && !common.has(reason ?? "") ? words.message : [],
  );
  const remarks = said === undefined ? [...new Set(why)] : [said];
  return html`<li>
<div><strong>${label}</strong> <span class="quiet">${targetWords(target)}</span>
<span class="activity">${seen === undefined ? "not seen yet" : `seen ${seen} ×, last ${ago(lastSeenMs)}`} · ${lastDeliveredMs === undefined ? "not delivered yet" : `delivered ${ago(lastDeliveredMs)}`}</span></div>
<div class="toggles">${toggle("server", `Server-side`, { label, rule, coupled, state: server, common })}
${toggle("client", "Client-side", { label, rule, coupled: false, state: client, common })}</div>
${remarks.map((remark) => html`<p class="why">${remark}</p>`)}
</li>`;
}

type Common = ReadonlyMap<string, ReasonWords>;

function toggle(
  name: "server" | "client",
  words: string,
  o: { label: string; rule: string; coupled: boolean; state: EventToggle; common: Common },
): Html {
  const { on, available, reason = "" } = o.state;
  // What is on may always be switched off; what is shown disabled is not sent, so its value travels beside it.
  const fixed = o.coupled || (!available && !on);
  return html`<label class="switch"><input type="checkbox" role="switch" name="${fixed ? "" : name}" value="${o.rule}" ${on ? "checked" : ""} ${fixed ? "disabled" : ""} ${o.common.has(reason) ? html`aria-describedby="${reason}"` : ""}><span><span class="hidden">${o.label}: </span>${words}</span></label>
${o.coupled && on ? html`<input type="hidden" name="${name}" value="${o.rule}">` : ""}`;
}

function targetWords(target: string | undefined): string {
  if (target === "segment:add") return "adds to the segment's list";
  return target === "segment:remove" ? "takes out of the segment's list" : (target ?? "");
}

function commonReasons(rows: readonly EventRow[]): Common {
  const counts = new Map<string, { count: number; words: ReasonWords }>();
  for (const { rule, server, client } of rows) {
    for (const { reason, words } of rule === undefined ? [] : [server, client]) {
      if (reason && words) counts.set(reason, { count: (counts.get(reason)?.count ?? 0) + 1, words });
    }
  }
  return new Map(
    [...counts].flatMap(([reason, { count, words }]) => (count > SAID_ONCE ? [[reason, words] as const] : [])),
  );
}
