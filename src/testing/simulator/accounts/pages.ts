import type { App, Person } from "../world.ts";

/** Text inside HTML, attributes included. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;background:#fffc00;margin:0;display:grid;place-items:center;min-height:100vh}
main{background:#fff;border-radius:16px;padding:32px;max-width:420px;box-shadow:0 4px 24px #0002}
h1{font-size:22px;margin:0 0 12px}label{display:block;margin:12px 0 4px}
select,button{font:inherit;padding:10px 16px;border-radius:24px;border:1px solid #999;width:100%;margin-top:8px}
button[value=allow],button.first{background:#0fadff;border-color:#0fadff;color:#fff}
small{color:#555}
</style></head><body><main>${body}
<p><small>This is a simulator. Nothing here reaches Snapchat.</small></p></main></body></html>`;
}

/** The first page: who is it? */
export function signInPage(transaction: string, people: readonly Person[]): string {
  const options = people
    .map(
      ({ name, displayName, email }) =>
        `<option value="${escapeHtml(name)}">${escapeHtml(`${displayName} · ${email}`)}</option>`,
    )
    .join("");
  return page(
    "Log in to Snapchat",
    `<h1>Log in to Snapchat</h1>
<form method="post" action="/login/oauth2/signin">
<input type="hidden" name="transaction" value="${escapeHtml(transaction)}">
<label for="person">Username</label><select id="person" name="person">${options}</select>
<button class="first" type="submit" id="sign-in">Log in</button></form>`,
  );
}

/** The second page: may the app do this? */
export function consentPage(transaction: string, person: Person, app: App, scopes: readonly string[]): string {
  const list = scopes.map((scope) => `<li>${escapeHtml(scope)}</li>`).join("");
  return page(
    "Authorize",
    `<h1>${escapeHtml(app.name)} would like to</h1><ul>${list}</ul><p>as ${escapeHtml(person.displayName)}</p>
<form method="post" action="/login/oauth2/consent">
<input type="hidden" name="transaction" value="${escapeHtml(transaction)}">
<button name="decision" value="allow" type="submit" id="allow">Allow</button>
<button name="decision" value="deny" type="submit" id="deny">Deny</button></form>`,
  );
}

export function errorPage(message: string): string {
  return page("Something is wrong", `<h1>Something is wrong</h1><p>${escapeHtml(message)}</p>`);
}
