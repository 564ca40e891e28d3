import { html } from "hono/html";
import type { AccountTree, Choice } from "snapchat-destination/auth";
import type { Visit } from "../forms.ts";
import { form, type Html } from "./layout.ts";

/** The three dropdowns. What may not be chosen is shown, and the list below says why. */
export function accountsForm(visit: Visit, { organizations, notes }: AccountTree): Html {
  const { id: destinationId, organizationId, adAccountId, pixelId } = visit.destination;
  const accounts = organizations.flatMap(({ adAccounts }) => adAccounts);
  const groups = organizations.map(({ id, name, adAccounts }) => group(id, name, adAccounts, adAccountId));
  const pixelGroups = accounts.map(({ id, name, pixels }) => group(id, name, pixels, pixelId));
  const remarks = [...organizations, ...accounts, ...accounts.flatMap(({ pixels }) => pixels)].filter(({ why }) => why);
  return html`${form(
    visit,
    html`<div class="fields">
${dropdown(
  "organizationId",
  "Organization",
  organizations.map((one) => option(one, organizationId)),
)}
${dropdown("adAccountId", "Ad account", groups)}
${dropdown("pixelId", "Snap Pixel", pixelGroups)}
</div>
<div class="buttons"><button name="action" value="accounts">Save accounts</button>
${organizationId === undefined || visit.allAccounts ? "" : html`<a class="button" href="/destinations/${destinationId}?accounts=all">Other organizations</a>`}</div>`,
  )}
${notes.map((note) => html`<p class="notice warn">${note}</p>`)}
${
  remarks.length > 0
    ? html`<details><summary>What cannot be chosen, and why</summary><dl>${remarks.map(({ name, why }) => html`<dt>${name}</dt><dd>${why}</dd>`)}</dl></details>`
    : ""
}`;
}

const dropdown = (name: string, label: string, options: readonly Html[]): Html =>
  html`<div><label for="${name}">${label}</label><select id="${name}" name="${name}" required><option value="">Choose…</option>${options}</select></div>`;

const group = (of: string, name: string, choices: readonly Choice[], chosen: string | undefined): Html =>
  choices.length === 0
    ? html``
    : html`<optgroup label="${name}" data-of="${of}">${choices.map((choice) => option(choice, chosen))}</optgroup>`;

const option = ({ id, name, available, why }: Choice, chosen: string | undefined): Html =>
  html`<option value="${id}" title="${why ?? ""}" ${available ? "" : "disabled"} ${id === chosen ? "selected" : ""}>${name}${available ? "" : " (not available)"}</option>`;
