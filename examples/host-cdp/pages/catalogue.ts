import { html } from "hono/html";
import { type Destination, manifest } from "snapchat-destination";
import { type Html, page, pill } from "./layout.ts";

const CAPABILITIES = { conversions: "Conversions", audiences: "Audiences", pixel: "Pixel" } as const;

/** The CDP's catalogue with Snapchat in it, and the destinations there are. */
export function cataloguePage(destinations: readonly Destination[]): Html {
  const { name, category, description, capabilities, help } = manifest();
  const [needs] = help;
  return page(
    "Destinations",
    html`<h1>Destinations</h1>
${destinations.length > 0 ? html`<section aria-label="Your destinations"><ul class="list">${destinations.map(row)}</ul></section>` : ""}
<section class="card" aria-labelledby="catalogue">
<div class="entry"><span class="logo" aria-hidden="true">S</span><div><h2 id="catalogue">${name}</h2><p class="quiet">${category}</p></div></div>
<p>${description}</p>
<p class="pills">${capabilities.map((capability) => pill("quiet", CAPABILITIES[capability]))}</p>
${needs ? html`<details><summary>${needs.title}</summary><ul>${needs.steps.map((step) => html`<li>${step}</li>`)}</ul></details>` : ""}
<form method="post" action="/destinations" class="inline">
<label for="name">Name of the new destination</label>
<input id="name" name="name" value="${name}" required maxlength="100">
<button class="first">Add destination</button>
</form>
</section>`,
  );
}

const row = ({ id, name, enabled, connection }: Destination): Html =>
  html`<li><a href="/destinations/${id}">${name}</a><span class="quiet">${connection?.person ?? "nobody signed in"}</span>${pill(enabled ? "good" : "quiet", enabled ? "On" : "Off")}</li>`;
