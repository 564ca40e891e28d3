import { html } from "hono/html";
import type { CheckLine, Tenant } from "snapchat-destination";
import type { Visit } from "../forms.ts";
import { ago, destinationPage, type Html, pill } from "./layout.ts";

type Report = Awaited<ReturnType<Tenant["verify"]>>;
type Received = Awaited<ReturnType<Tenant["receipts"]["find"]>>["items"][number];

const SHOWN_RECEIPTS = 8;
/** Problems come first: the page was opened for them. */
const MARKS = {
  problem: { rank: 0, tone: "bad", word: "Fix" },
  warning: { rank: 1, tone: "warn", word: "Look" },
  ok: { rank: 2, tone: "good", word: "OK" },
} as const;

/** What Events Manager would show, in numbers and words, and what to fix. */
export async function verifyPage(visit: Visit): Promise<Awaited<Html>> {
  const { tenant, destination } = visit;
  const [report, receipts] = await Promise.all([
    tenant.verify(destination.id),
    tenant.receipts.find(destination.id, { limit: 50 }),
  ]);
  const live = report.snapchat?.stats.live;
  const seen = live?.latestEventMs !== undefined;
  return destinationPage(
    visit,
    "Verify",
    html`<section class="card hero ${seen ? "good" : ""}" aria-labelledby="seen"><h2 id="seen">${seen ? "Seen by Snapchat" : "Not seen by Snapchat yet"}</h2>
<dl class="tiles">
${tile("Arrived in the past hour", live ? String(live.eventsPastHour) : "–")}
${tile("Last event", ago(live?.latestEventMs))}
${tile("Waiting here", String(report.queue.waiting))}
${tile("Not deliverable", String(Object.values(report.queue.deadLetters).reduce((sum, count) => sum + count, 0)))}
</dl></section>
${eventTable(report)}
<section class="card" aria-labelledby="checks"><h2 id="checks">Checks</h2><ul class="checks">${report.lines.toSorted(worstFirst).map(checkLine)}</ul></section>
${receiptList(receipts.items)}`,
  );
}

const tile = (label: string, value: string): Html => html`<div><dt>${label}</dt><dd>${value}</dd></div>`;

const worstFirst = (a: CheckLine, b: CheckLine) => MARKS[a.status].rank - MARKS[b.status].rank;

const checkLine = ({ status, message, fix }: CheckLine): Html =>
  html`<li>${pill(MARKS[status].tone, MARKS[status].word)}<div>${message}${fix === "" ? "" : html` <span class="quiet">${fix}</span>`}</div></li>`;

/** An event whose id the browser's copy carries too is counted once, whichever copy comes first. */
function eventTable({ signals }: Report): Html {
  if (signals.events.length === 0) return html``;
  const rows = signals.events.map(
    ({ event, accepted, delivered, deduplicable }) =>
      html`<tr><th scope="row">${event}</th><td>${delivered}</td><td>${Math.round(deduplicable * accepted)} of ${accepted}</td></tr>`,
  );
  return html`<section class="card" aria-labelledby="day"><h2 id="day">From our servers, in the last day</h2>
<table>
<thead><tr><th scope="col">Event</th><th scope="col">Delivered</th><th scope="col">Counted once</th></tr></thead>
<tbody>${rows}</tbody></table>
<p class="quiet">With both toggles on, the browser's copy carries the same id; Snapchat counts the two once.</p></section>`;
}

const receiptList = (receipts: readonly Received[]): Html =>
  receipts.length === 0
    ? html``
    : html`<section class="card" aria-labelledby="receipts"><h2 id="receipts">Latest events</h2><ul class="receipts">${receipts.slice(0, SHOWN_RECEIPTS).map(receipt)}</ul></section>`;

const receipt = ({ eventId, status, entries }: Received): Html => {
  const last = entries.at(-1);
  return html`<li>${pill(status === "delivered" ? "good" : "quiet", status)}<span><code>${eventId}</code> <span class="quiet">${ago(last?.atMs)}</span></span></li>`;
};
