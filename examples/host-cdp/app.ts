import { readFileSync } from "node:fs";
import { Hono } from "hono";
import { csrf } from "hono/csrf";
import { HTTPException } from "hono/http-exception";
import { secureHeaders } from "hono/secure-headers";
import { type Destination, isSnapchatError, presets, type Snapchat, setToggle } from "snapchat-destination";
import type { Workflow } from "snapchat-destination/workflow";
import { type Action, createForms, type Env, formOf, type Submission, statusOf, text } from "./forms.ts";
import { cataloguePage } from "./pages/catalogue.ts";
import { eventsPage } from "./pages/events.ts";
import { errorPage } from "./pages/layout.ts";
import { segmentsPage } from "./pages/segments.ts";
import { settingsPage } from "./pages/settings.ts";
import { verifyPage } from "./pages/verify.ts";
import { sessionOf } from "./session.ts";

const asset = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8");

/** The CDP's settings pages: every step a marketer takes, one handler each. */
export function createApp(snapchat: Snapchat, { shopUrl }: { shopUrl: string }): Hono<Env> {
  const app = new Hono<Env>();
  const { show, submit } = createForms(shopUrl);

  // No page of another site can post our forms: the browser says where a POST comes from, and a SameSite=Lax session
  // does not travel with it anyway.
  app.use(csrf());
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        scriptSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    }),
  );
  const [style, script] = [asset("style.css"), asset("settings.js")];
  app.get("/style.css", (c) => c.body(style, 200, { "content-type": "text/css; charset=utf-8" }));
  app.get("/settings.js", (c) => c.body(script, 200, { "content-type": "text/javascript; charset=utf-8" }));
  app.get("/favicon.ico", (c) => c.body(null, 204));

  app.use(async (c, next) => {
    const session = sessionOf(c.req.raw);
    c.set("session", session);
    // From here on every id of another customer of the CDP is answered with `not_found`.
    c.set("tenant", snapchat.tenant(session.tenantId));
    await next();
  });

  // 1. Choose Snapchat in the catalogue.
  app.get("/", async (c) => c.html(cataloguePage((await c.get("tenant").destinations.list()).items)));
  app.post("/destinations", async (c) => {
    const { destinations } = c.get("tenant");
    const actor = c.get("session").userId;
    const { id } = await destinations.create({ name: text(await formOf(c), "name") }, { actor });
    const consent = { names: ["ad_storage"], absent: "deny" } as const;
    await destinations.update(id, { workflow: presets.customerlabs({ defaultCountry: "GB", consent }) }, { actor });
    return c.redirect(`/destinations/${id}`, 303);
  });

  // 2. Authenticate: away to Snapchat, and back.
  app.get("/snapchat/connect", (c) => {
    const { tenantId } = c.get("session");
    const destinationId = c.req.query("destination") ?? "";
    const returnTo = `/destinations/${encodeURIComponent(destinationId)}`;
    return snapchat.oauth.connect(c.req.raw, { tenantId, destinationId, returnTo });
  });
  app.get("/snapchat/callback", (c) => {
    const { tenantId: mine, userId: actor } = c.get("session");
    return snapchat.oauth.callback(c.req.raw, { authorize: ({ tenantId }) => tenantId === mine, actor });
  });

  // 1, 3 and 4. Name, accounts, token, server-side, on and off.
  app.get("/destinations/:id", show(settingsPage));
  app.post(
    "/destinations/:id",
    submit(settingsPage, {
      rename: withToken(({ tenant, id, form, options }) => tenant.destinations.rename(id, text(form, "name"), options)),
      enable: withToken(({ tenant, id, options }) => tenant.destinations.enable(id, options)),
      disable: withToken(({ tenant, id, options }) => tenant.destinations.disable(id, options)),
      disconnect: withToken(({ tenant, id, options }) => tenant.connections.disconnect(id, options)),
      accounts: withToken(({ tenant, id, form, options }) => {
        // "Choose…" has an empty value: nothing chosen.
        const chosen = (name: string) => text(form, name) || null;
        const [organizationId, adAccountId] = [chosen("organizationId"), chosen("adAccountId")];
        return tenant.destinations.update(id, { organizationId, adAccountId, pixelId: chosen("pixelId") }, options);
      }),
      token: saveToken,
      removeToken: ({ tenant, id, options }) => tenant.destinations.update(id, { conversionsToken: null }, options),
      serverSide: withToken(({ tenant, id, form, options }) =>
        tenant.destinations.update(id, { serverSide: form.has("serverSide") }, options),
      ),
    }),
  );

  // 5. The event list with its toggles.
  app.get("/destinations/:id/events", show(eventsPage));
  app.post("/destinations/:id/events", submit(eventsPage, { toggles: saveToggles }));

  // 6. Segments.
  app.get("/destinations/:id/segments", show(segmentsPage));
  app.post(
    "/destinations/:id/segments",
    submit(segmentsPage, {
      // The members come from the plugin. Long lists are a job of your own queue, not of a request.
      sync: ({ tenant, id, form }) =>
        tenant.segments.sync(id, text(form, "key"), undefined, { name: text(form, "name") }),
      recreate: ({ tenant, id, form }) => tenant.segments.recreate(id, text(form, "key")),
      stop: ({ tenant, id, form }) => tenant.segments.stop(id, text(form, "key")),
    }),
  );

  // 7. Verify.
  app.get("/destinations/:id/verify", show(verifyPage));

  app.notFound((c) => c.html(errorPage("There is no such page.", "Go back to the destinations."), 404));
  app.onError((error, c) => {
    if (error instanceof HTTPException) return error.getResponse();
    if (isSnapchatError(error)) return c.html(errorPage(error.message, error.fix), statusOf(error));
    console.error(error);
    return c.html(errorPage("Something broke on our side.", "Try again in a minute."), 500);
  });
  return app;
}

const saveToken = ({ tenant, id, form, options }: Submission): Promise<Destination> =>
  tenant.destinations.update(id, { conversionsToken: text(form, "conversionsToken") }, options);

/** A token that came along with another form (settings.js) is saved first. */
const withToken =
  (action: Action): Action =>
  async (submission) => {
    if (text(submission.form, "conversionsToken") === "") return action(submission);
    const { version } = await saveToken(submission);
    return action({ ...submission, options: { ...submission.options, expectedVersion: version } });
  };

/** Switches what the marketer changed and leaves the rest of the workflow as it is. */
async function saveToggles({ tenant, id, form, options }: Submission): Promise<void> {
  const { rows } = await tenant.events.list(id);
  let workflow = (await tenant.destinations.get(id)).workflow as Workflow;
  for (const { rule, server, client } of rows) {
    if (rule === undefined) continue;
    const wanted = { server: form.getAll("server").includes(rule), client: form.getAll("client").includes(rule) };
    if (wanted.server !== server.on || wanted.client !== client.on) workflow = setToggle(workflow, rule, wanted);
  }
  await tenant.destinations.update(id, { workflow }, options);
}
