import { html } from "hono/html";
import { isSnapchatError, manifest } from "snapchat-destination";
import type { Visit } from "../forms.ts";
import { accountsForm } from "./accounts.ts";
import { alert, destinationPage, form, type Html, pill } from "./layout.ts";

const HELP = manifest().help;

/** Name, sign-in, accounts, token, server-side, on: the order in which a marketer meets them. */
export async function settingsPage(visit: Visit): Promise<Awaited<Html>> {
  const { connection, pixelId, conversionsToken, serverSide } = visit.destination;
  return destinationPage(
    visit,
    "Settings",
    html`${step(1, "Name", true, nameForm(visit))}
${step(2, "Sign in at Snapchat", connection?.status === "connected", signIn(visit))}
${step(3, "Accounts", pixelId !== undefined, await accounts(visit))}
${step(4, "Conversions API token", conversionsToken?.status === "accepted", tokenForm(visit))}
${step(5, "Send data via server-side", serverSide, serverSideForm(visit))}
${step(6, "Switch it on", visit.destination.enabled, onForm(visit))}
<script src="/settings.js"></script>`,
  );
}

const step = (number: number, title: string, done: boolean, body: Html): Html =>
  html`<section class="card step ${done ? "done" : ""}" aria-labelledby="step-${number}">
<h2 id="step-${number}"><span class="number" aria-hidden="true">${done ? "✓" : number}</span>${title}</h2>${body}</section>`;

const nameForm = (visit: Visit): Html =>
  form(
    visit,
    html`<label for="name">Name</label><input id="name" name="name" value="${visit.destination.name}" required maxlength="100">
<button name="action" value="rename">Rename</button>`,
    "inline",
  );

function signIn(visit: Visit): Html {
  const { id, connection } = visit.destination;
  const authenticate = (words: string, className = "") =>
    html`<a class="button ${className}" href="/snapchat/connect?destination=${id}">${words}</a>`;
  if (!connection || connection.status === "disconnected") {
    return html`<p>You sign in on Snapchat's own page, allow access, and come back here.</p>${authenticate("Authenticate Snapchat", "first")}${help("Connect")}`;
  }
  const ended = connection.status === "reauth_required";
  return html`<p>${ended ? pill("bad", "Login ended") : pill("good", "Connected")} ${connection.person ?? ""}</p>
${ended ? html`<p>Snapchat no longer accepts this login. What waits is kept and leaves once somebody signs in again.</p>` : ""}
<div class="buttons">${authenticate("Sign in again", ended ? "first" : "")}${form(visit, html`<button name="action" value="disconnect" class="plain">Disconnect</button>`)}</div>`;
}

/** The page works on while Snapchat does not answer; this card says so. */
async function accounts(visit: Visit): Promise<Awaited<Html>> {
  const { connection, id, organizationId } = visit.destination;
  if (!connection) return html`<p class="quiet">Sign in first; then your accounts can be chosen here.</p>`;
  try {
    // Once one is chosen, the others are not read with every page: each costs requests of the login's ten a second.
    const only = organizationId === undefined || visit.allAccounts ? {} : { organizationId };
    return accountsForm(visit, await visit.tenant.accounts.tree(id, only));
  } catch (error) {
    if (!isSnapchatError(error)) throw error;
    return alert(error);
  }
}

const TOKEN = {
  accepted: { tone: "good", words: "Accepted by Snapchat" },
  unconfirmed: {
    tone: "warn",
    words: "Not confirmed yet: a new token may be refused for up to an hour; it is asked again",
  },
  refused: { tone: "bad", words: "Refused by Snapchat: generate a new one" },
} as const;

function tokenForm(visit: Visit): Html {
  const token = visit.destination.conversionsToken;
  const remove = html`<button name="action" value="removeToken" class="plain" formnovalidate>Remove</button>`;
  return html`${token ? html`<p><code class="masked">${token.masked}</code> ${pill(TOKEN[token.status].tone, TOKEN[token.status].words)}</p>` : ""}
${form(
  visit,
  html`<label for="token">${token ? "Replace the token" : "Token"}</label>
<input id="token" name="conversionsToken" type="password" autocomplete="off" spellcheck="false" required placeholder="Paste it here">
<button name="action" value="token">Save token</button>${token ? remove : ""}`,
  "inline",
)}${help("Generate the Conversions API token")}`;
}

const serverSideForm = (visit: Visit): Html =>
  form(
    visit,
    html`<label class="switch"><input type="checkbox" role="switch" name="serverSide" ${visit.destination.serverSide ? "checked" : ""}><span>Send events from the server</span></label>
<p class="quiet">When off, nothing leaves from the server: what is queued waits, and segments go on.</p>
<button name="action" value="serverSide">Save</button>`,
  );

const onForm = (visit: Visit): Html =>
  visit.destination.enabled
    ? form(
        visit,
        html`<p>Events and segments flow as the <a href="/destinations/${visit.destination.id}/events">event list</a> says.</p><button name="action" value="disable" class="plain">Switch off</button>`,
      )
    : form(
        visit,
        html`<p class="quiet">It needs a pixel, and a login or a token.</p><button name="action" value="enable" class="first">Enable</button>`,
      );

/** Help comes with the manifest, step by step. */
function help(title: string): Html {
  const found = HELP.find((entry) => entry.title === title);
  if (!found) return html``;
  const { role, steps, link } = found;
  return html`<details><summary>How to: ${title.toLowerCase().replace("conversions api", "Conversions API")}</summary>
${role ? html`<p class="quiet">Who may do it: ${role}.</p>` : ""}<ol>${steps.map((one) => html`<li>${one}</li>`)}</ol>
${link ? html`<p><a href="${link}" target="_blank" rel="noreferrer">Open Snapchat ↗</a></p>` : ""}</details>`;
}
