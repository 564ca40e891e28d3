import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import type { Visit } from "../forms.ts";

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** What is said after an action, by its name: an address cannot bring words of its own. */
const SAVED: Readonly<Record<string, string>> = {
  rename: "The name is saved.",
  enable: "The destination is switched on.",
  disable: "The destination is switched off. What was queued waits until you switch it on again.",
  disconnect: "The login is forgotten.",
  accounts: "The accounts are saved.",
  token: "The token is saved. From now on only its last characters are shown.",
  removeToken: "The token is removed.",
  serverSide: "Saved.",
  toggles: "The event list is saved.",
  sync: "Snapchat has taken the segment.",
  recreate: "The segment is being made again.",
  stop: "The segment is no longer kept in step.",
};

const TABS = [
  ["", "Settings"],
  ["/events", "Events"],
  ["/segments", "Segments"],
  ["/verify", "Verify"],
] as const;

/** A page of the CDP. */
export const page = (title: string, body: Html): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Example CDP</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header class="top"><a class="brand" href="/"><span aria-hidden="true">◆</span> Example CDP</a><span>Acme Ltd</span></header>
<main>${body}</main>
</body>
</html>`;

/** A page of one destination: its name and state, the tabs, what was just done or refused. */
export function destinationPage(visit: Visit, tab: (typeof TABS)[number][1], body: Html): Html {
  const { destination, shopUrl, saved, refused } = visit;
  const { id, name, enabled } = destination;
  const tabs = TABS.map(
    ([path, word]) =>
      html`<a href="/destinations/${id}${path}" ${word === tab ? html`aria-current="page"` : ""}>${word}</a>`,
  );
  const done = saved !== undefined && Object.hasOwn(SAVED, saved) ? SAVED[saved] : undefined;
  const good = done === undefined ? html`` : html`<p class="notice good" role="status">${done}</p>`;
  const notice = refused ? alert(refused) : good;
  return page(
    `${tab} · ${name}`,
    html`<nav class="crumbs" aria-label="Breadcrumb"><a href="/">Destinations</a></nav>
<div class="title"><h1>${name}</h1>${pill(enabled ? "good" : "quiet", enabled ? "On" : "Off")}</div>
<nav class="tabs" aria-label="Destination">${tabs}<a href="${shopUrl}" target="_blank">Shop ↗</a></nav>
${notice}
${body}`,
  );
}

/** What went wrong and what to do: both are sentences for the marketer. */
export const alert = ({ message, fix, code }: { message: string; fix: string; code?: string }): Html =>
  html`<div class="notice bad" role="alert"><p><strong>${message}</strong></p><p>${fix}</p>${code ? html`<code>${code}</code>` : ""}</div>`;

export const errorPage = (message: string, fix: string): Html =>
  page(
    "Something is wrong",
    html`<h1>Something is wrong</h1>${alert({ message, fix })}<p><a href="/">All destinations</a></p>`,
  );

export const pill = (tone: "good" | "warn" | "bad" | "quiet", words: string): Html =>
  html`<span class="pill ${tone}">${words}</span>`;

/** A form of a destination's page. It carries the version that it was drawn from; its button names the action. */
export const form = ({ destination }: Visit, fields: Html, className = ""): Html =>
  html`<form method="post" class="${className}"><input type="hidden" name="version" value="${destination.version}">${fields}</form>`;

export const ago = (ms: number | undefined): string => {
  if (ms === undefined) return "never";
  const minutes = Math.round((Date.now() - ms) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h ago` : new Date(ms).toISOString().slice(0, 10);
};
