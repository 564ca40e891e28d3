import type { Core } from "../core.ts";
import { html, type Incoming, json, type Outgoing, text } from "../message.ts";
import { type App, type Person, SCOPE_CONVERSIONS, SCOPE_MARKETING } from "../world.ts";
import { consentPage, errorPage, signInPage } from "./pages.ts";

const AUTHORIZE_PATHS: ReadonlySet<string> = new Set(["/login/oauth2/authorize", "/accounts/oauth2/auth"]);
const TOKEN_PATHS: ReadonlySet<string> = new Set(["/login/oauth2/access_token", "/accounts/oauth2/token"]);
const KNOWN_SCOPES: ReadonlySet<string> = new Set([SCOPE_MARKETING, SCOPE_CONVERSIONS, "snapchat-profile-api"]);

/** An authorize request between its pages. */
interface Transaction {
  app: App;
  redirectUri: string;
  scopes: string[];
  state: string | undefined;
  person?: Person;
}

/** `accounts.snapchat.com`: sign-in, consent, token endpoint. */
export function createAccounts(core: Core) {
  const { world, tokens, knobs, random } = core;
  const transactions = new Map<string, Transaction>();

  function handle(incoming: Incoming): Outgoing {
    const { path, method } = incoming;
    if (AUTHORIZE_PATHS.has(path)) return method === "GET" ? authorize(incoming.query) : notAllowed("GET");
    if (TOKEN_PATHS.has(path)) return method === "POST" ? token(incoming) : notAllowed("POST");
    if (path === "/login/oauth2/signin" && method === "POST") return signIn(new URLSearchParams(incoming.body));
    if (path === "/login/oauth2/consent" && method === "POST") return decide(new URLSearchParams(incoming.body));
    return text(404, "Not Found");
  }

  /** Checks an authorize request. Whoever asks wrongly for a redirect is told on a page, never sent anywhere. */
  function open(query: URLSearchParams): Transaction | { page: string } | { redirect: string } {
    const app = world.apps.find((candidate) => candidate.clientId === query.get("client_id"));
    if (!app) return { page: "This client_id is not registered." };
    const redirectUri = query.get("redirect_uri");
    if (!redirectUri) return { page: "redirect_uri is missing." };
    if (!isRegistered(app, redirectUri)) return { page: "redirect_uri is not one this app has registered." };
    const state = query.get("state") ?? undefined;
    const refuse = (error: string, description: string) => ({
      redirect: withParams(redirectUri, { error, error_description: description, state }),
    });
    if (query.get("response_type") !== "code") return refuse("unsupported_response_type", "Only code is supported");
    const scopes = (query.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
    if (scopes.length === 0) return refuse("invalid_scope", "scope is required");
    if (scopes.some((scope) => !KNOWN_SCOPES.has(scope)))
      return refuse("invalid_scope", "An unknown scope was asked for");
    return { app, redirectUri, scopes, state };
  }

  function isRegistered(app: App, redirectUri: string): boolean {
    if (app.redirectUris.has(redirectUri)) return true;
    if (knobs.redirectUris !== "loopback" || !URL.canParse(redirectUri)) return false;
    const { hostname } = new URL(redirectUri);
    return hostname === "127.0.0.1" || hostname === "localhost" || hostname === "[::1]";
  }

  function authorize(query: URLSearchParams): Outgoing {
    const opened = open(query);
    if ("page" in opened) return html(400, errorPage(opened.page));
    if ("redirect" in opened) return redirect(opened.redirect);
    const id = random.text(32);
    transactions.set(id, opened);
    return html(200, signInPage(id, world.people));
  }

  function signIn(form: URLSearchParams): Outgoing {
    const id = form.get("transaction") ?? "";
    const transaction = transactions.get(id);
    if (!transaction) return html(400, errorPage("This sign-in is over. Start again from your application."));
    const person = findPerson(form.get("person") ?? "");
    if (!person) return html(401, signInPage(id, world.people));
    transaction.person = person;
    return html(200, consentPage(id, person, transaction.app, transaction.scopes));
  }

  function decide(form: URLSearchParams): Outgoing {
    const id = form.get("transaction") ?? "";
    const transaction = transactions.get(id);
    if (!transaction?.person) return html(400, errorPage("Log in first."));
    transactions.delete(id);
    return redirect(finish(transaction, transaction.person, form.get("decision") === "allow"));
  }

  function finish(transaction: Transaction, person: Person, allow: boolean): string {
    const { app, redirectUri, scopes, state } = transaction;
    if (!allow) {
      const description = "The user denied the request";
      return withParams(redirectUri, { error: "access_denied", error_description: description, state });
    }
    return withParams(redirectUri, { code: tokens.issueCode({ person, app, redirectUri, scopes }), state });
  }

  function token(incoming: Incoming): Outgoing {
    const type = incoming.headers["content-type"] ?? "";
    if (!type.includes("application/x-www-form-urlencoded")) {
      return oauthError(400, "invalid_request", "The body must be application/x-www-form-urlencoded");
    }
    const form = new URLSearchParams(incoming.body);
    const clientId = form.get("client_id");
    const app = world.apps.find((candidate) => candidate.clientId === clientId);
    if (!app || form.get("client_secret") !== app.clientSecret) {
      return oauthError(401, "invalid_client", "Client authentication failed");
    }
    const grant = form.get("grant_type");
    if (grant === "authorization_code") return exchange(form, app);
    if (grant === "refresh_token") return refresh(form, app);
    if (grant === null) return oauthError(400, "invalid_request", "grant_type is required");
    return oauthError(400, "unsupported_grant_type", "The grant type is not supported");
  }

  function exchange(form: URLSearchParams, app: App): Outgoing {
    const code = tokens.codes.get(form.get("code") ?? "");
    const living = code && !code.used && code.expiresAt > core.now();
    if (!living || code.app !== app || code.redirectUri !== form.get("redirect_uri")) {
      return oauthError(
        400,
        "invalid_grant",
        "The authorization code is invalid, expired, used or not for this client",
      );
    }
    code.used = true;
    return json(200, tokens.issue(code.person, app, code.scopes), NOT_STORED);
  }

  function refresh(form: URLSearchParams, app: App): Outgoing {
    const text = form.get("refresh_token") ?? "";
    const held = tokens.refresh.get(text);
    if (!held || held.revoked || held.app !== app) {
      return oauthError(400, "invalid_grant", "The refresh token is invalid or has been revoked");
    }
    held.uses += 1;
    if (knobs.refreshToken === "same") return json(200, tokens.issue(held.person, app, held.scopes, text), NOT_STORED);
    if (knobs.refreshToken === "rotated") held.revoked = true;
    return json(200, tokens.issue(held.person, app, held.scopes), NOT_STORED);
  }

  function findPerson(name: string): Person | undefined {
    return world.people.find((person) => person.name === name || person.email === name || person.id === name);
  }

  return {
    handle,
    /** What a person clicking through the pages would be sent to. */
    consent(authorizeUrl: string, choice: { person?: string; allow?: boolean }): string {
      const opened = open(new URL(authorizeUrl).searchParams);
      if ("page" in opened) throw new Error(`Snapchat would show a page instead of redirecting: ${opened.page}`);
      if ("redirect" in opened) return opened.redirect;
      const person = choice.person === undefined ? world.main.person : findPerson(choice.person);
      if (!person) throw new Error(`The simulator has no person called ${choice.person}.`);
      return finish(opened, person, choice.allow ?? true);
    },
    clear: () => transactions.clear(),
  };
}

const NOT_STORED = { "cache-control": "no-store", pragma: "no-cache" };

function oauthError(status: number, error: string, description: string): Outgoing {
  return json(status, { error, error_description: description });
}

function notAllowed(allow: string): Outgoing {
  return text(405, "Method Not Allowed", { allow });
}

function redirect(location: string): Outgoing {
  return { status: 302, body: "", contentType: "text/plain", headers: { location } };
}

function withParams(uri: string, params: Record<string, string | undefined>): string {
  const url = new URL(uri);
  for (const [key, value] of Object.entries(params)) if (value !== undefined) url.searchParams.set(key, value);
  return url.href;
}
