import type { Context } from "hono";
import type { HtmlEscapedString } from "hono/utils/html";
import {
  type Destination,
  isSnapchatError,
  type MutationOptions,
  type SnapchatError,
  type Tenant,
} from "snapchat-destination";
import type { Session } from "./session.ts";

/** What every handler finds in its context. */
export interface Env {
  Variables: { session: Session; tenant: Tenant };
}

/** What a page of one destination is drawn from. */
export interface Visit {
  tenant: Tenant;
  destination: Destination;
  shopUrl: string;
  /** Asked for with `?accounts=all`: also the organizations that are not chosen. */
  allAccounts: boolean;
  /** The action that has just been done, by its name. */
  saved?: string | undefined;
  /** What was refused: shown as message and fix. */
  refused?: Pick<SnapchatError, "code" | "message" | "fix"> | undefined;
}

export type Page = (visit: Visit) => HtmlEscapedString | Promise<HtmlEscapedString>;

/** What a form's action works with. */
export interface Submission {
  tenant: Tenant;
  id: string;
  form: FormData;
  /** Who does it, and the version that the form was drawn from: a change made meanwhile is refused, not overwritten. */
  options: MutationOptions;
}

export type Action = (submission: Submission) => Promise<unknown>;

/** A page of one destination, and what its forms do: the button that was pressed names the action. */
export function createForms(shopUrl: string) {
  const show = (page: Page) => async (c: Context<Env>) => {
    const code = c.req.query("snapchat_error");
    return c.html(page(await visit(c, code === undefined ? {} : { refused: signInFailed(code) })));
  };

  /** Does it and goes back to the page, so that reloading repeats nothing. What is refused is shown on the page. */
  const submit = (page: Page, actions: Readonly<Record<string, Action>>) => async (c: Context<Env>) => {
    const form = await formOf(c);
    const name = text(form, "action");
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (!action) return c.text("Bad Request", 400);
    const options = { actor: c.get("session").userId, expectedVersion: Number(text(form, "version")) };
    try {
      await action({ tenant: c.get("tenant"), id: c.req.param("id") ?? "", form, options });
    } catch (error) {
      if (!isSnapchatError(error)) throw error;
      return c.html(page(await visit(c, { refused: inWords(error) })), statusOf(error));
    }
    return c.redirect(`${c.req.path}?saved=${name}`, 303);
  };

  async function visit(c: Context<Env>, extra: Pick<Visit, "refused">): Promise<Visit> {
    const tenant = c.get("tenant");
    const destination = await tenant.destinations.get(c.req.param("id") ?? "");
    const { saved, accounts } = c.req.query();
    const allAccounts = accounts === "all";
    return { tenant, destination, shopUrl: `${shopUrl}/${destination.id}/`, allAccounts, saved, ...extra };
  }

  return { show, submit };
}

/** What was posted; what is no form has no fields. */
export const formOf = (c: Context<Env>): Promise<FormData> => c.req.formData().catch(() => new FormData());

/** A field of a form; a file that somebody sends instead is nothing. */
export function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}

export function statusOf({ code, kind }: SnapchatError): 404 | 409 | 422 | 503 {
  if (code === "not_found") return 404;
  if (code === "version_conflict") return 409;
  return kind === "retry" ? 503 : 422;
}

/** Messages of the package are written for marketers; this one speaks to whoever wrote the handler. */
function inWords(error: SnapchatError): Visit["refused"] {
  if (error.code !== "version_conflict") return error;
  const message = "Somebody else has changed this destination since you opened the page.";
  return {
    code: error.code,
    message,
    fix: "Nothing of yours was saved. Below is how it stands now; make your change again.",
  };
}

/** The sign-in comes back with a code only: the address is anybody's to write, so no text of it is shown but a code. */
function signInFailed(code: string): Visit["refused"] {
  const message =
    code === "oauth_access_denied"
      ? "You did not allow access at Snapchat."
      : "The sign-in at Snapchat did not finish.";
  const fix = "Press “Authenticate Snapchat” again, in this browser, and choose Allow.";
  return { code: /^\w{1,60}$/.test(code) ? code : "unknown", message, fix };
}
