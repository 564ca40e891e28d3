import type { Core, Trace } from "../core.ts";
import { type Incoming, json, type Outgoing, text } from "../message.ts";
import type { Standing } from "../rates.ts";
import { isMember, mayChangeAudiences, maySeeAdAccount } from "../roles.ts";
import { type AdAccount, type Person, SCOPE_MARKETING } from "../world.ts";
import { createAnswers } from "./answers.ts";
import { createAudiences } from "./audiences.ts";
import { createDiscovery } from "./discovery.ts";
import { adAccountEntity } from "./entities.ts";
import { subError } from "./envelope.ts";
import { createSegments } from "./segments.ts";

const WRITE_WINDOW_MS = 5_000;

/** `adsapi.snapchat.com/v1`: accounts, segments, members. */
export function createAds(core: Core) {
  const { knobs, index } = core;
  const answers = createAnswers(core);
  const { list, paged, notFound, forbidden, methodNotAllowed } = answers;
  const discovery = createDiscovery(core, answers);
  const segments = createSegments(knobs, core.random, core.now);
  const audiences = createAudiences(core, segments, answers);

  function handle(incoming: Incoming, trace: Trace): Outgoing {
    const person = authenticate(trace);
    if ("status" in person) return person;
    const { limited, standing } = takeSlot(incoming, trace);
    const outgoing = limited ?? route(incoming, trace, person);
    if (standing && knobs.rateLimitHeaders !== "none") {
      outgoing.headers = { ...outgoing.headers, ...rateHeaders(standing) };
    }
    return outgoing;
  }

  function authenticate(trace: Trace): Person | Outgoing {
    const { credential } = trace;
    const oauth = credential && "kind" in credential ? credential : undefined;
    if (!oauth || oauth.revoked) return unauthorized("invalid_token", "The access token is invalid");
    if (oauth.expiresAt <= core.now()) return unauthorized("invalid_token", "The access token expired");
    if (!oauth.scopes.includes(SCOPE_MARKETING)) return text(403, "unauthorized");
    return oauth.person;
  }

  function unauthorized(error: string, description: string): Outgoing {
    const headers = { "www-authenticate": `Bearer error="${error}", error_description="${description}"` };
    if (knobs.unauthorizedBody === "json") return json(401, { msg: "unauthorized" }, headers);
    return text(401, "unauthorized", headers);
  }

  function takeSlot(incoming: Incoming, trace: Trace): { limited?: Outgoing; standing?: Standing } {
    const limits = core.limitsOf(trace, "ads");
    const write = incoming.method !== "GET";
    if (write && knobs.rateLimits && trace.credential) {
      limits.push({
        scope: `writes:${trace.credential.id}`,
        perWindow: knobs.entityWritesPer5Seconds,
        windowMs: WRITE_WINDOW_MS,
        window: "aligned",
      });
    }
    const { allowed, refusedBy, standing } = core.limiter.take(limits, core.now());
    if (refusedBy !== undefined) trace.limitedBy = refusedBy;
    return {
      ...(allowed ? {} : { limited: answers.error(trace, 429, undefined, "Too Many Requests") }),
      ...(write && standing ? { standing } : {}),
    };
  }

  function rateHeaders({ limit, remaining, resetAt }: Standing): Record<string, string> {
    const reset = knobs.rateLimitHeaders === "seconds" ? Math.ceil(resetAt / 1_000) : resetAt;
    return {
      "x-rate-limit-limit": String(limit),
      "x-rate-limit-remaining": String(remaining),
      "x-rate-limit-reset": String(reset),
    };
  }

  function route(incoming: Incoming, trace: Trace, person: Person): Outgoing {
    const [, , collection = "", id = "", child = "", grandchild = "", ...rest] = incoming.path.split("/");
    if (rest.length > 0) return notFound(trace);
    if (collection === "me") return discovery.me(incoming, trace, person, id, child);
    if (collection === "organizations") {
      const organization = index.organizations.get(id);
      if (!organization || grandchild !== "") return notFound(trace);
      if (!isMember(person, organization.id)) return forbidden(trace);
      return discovery.organization(incoming, trace, person, organization, child);
    }
    if (collection === "adaccounts") {
      const account = index.adAccounts.get(id);
      if (!account || grandchild !== "") return notFound(trace);
      if (!maySeeAdAccount(person, account)) return forbidden(trace);
      return routeAdAccount(incoming, trace, person, account, child);
    }
    if (collection === "pixels") {
      const pixel = index.assets.get(id);
      if (pixel?.kind !== "web") return notFound(trace);
      if (!discovery.maySeePixel(person, pixel)) return forbidden(trace);
      return discovery.pixel(incoming, trace, pixel, child, grandchild);
    }
    if (collection === "segments" && grandchild === "") return routeSegment(incoming, trace, person, id, child);
    return notFound(trace);
  }

  function routeAdAccount(
    incoming: Incoming,
    trace: Trace,
    person: Person,
    account: AdAccount,
    child: string,
  ): Outgoing {
    const { method } = incoming;
    if (child === "") {
      if (method !== "GET") return methodNotAllowed(trace);
      return list(trace, "adaccounts", "adaccount", [{ entity: adAccountEntity(account) }]);
    }
    if (child === "pixels") return discovery.accountPixels(incoming, trace, person, account);
    if (child !== "segments") return notFound(trace);
    if (method === "GET") {
      const list = segments.ofAccount(account.id);
      return paged(incoming, trace, "segments", "segment", list, (segment) => segment.order, segments.entity);
    }
    if (!mayChangeAudiences(person, account)) return forbidden(trace);
    if (!index.organizations.get(account.organizationId)?.termsAccepted) return termsMissing(trace);
    if (method === "POST") return audiences.create(incoming, trace, account);
    if (method === "PUT") return audiences.update(incoming, trace, account);
    return methodNotAllowed(trace);
  }

  function routeSegment(incoming: Incoming, trace: Trace, person: Person, id: string, child: string): Outgoing {
    const { method } = incoming;
    const segment = segments.get(id);
    const deleting = child === "" && method === "DELETE";
    if (!segment) {
      if (!deleting) return notFound(trace);
      const reason = subError("E3004", "Entity does not exist or you do not have permission to access it");
      return list(trace, "segments", "segment", [reason]);
    }
    if (!maySeeAdAccount(person, segment.account)) return forbidden(trace);
    if (method === "GET" && child === "") {
      return list(trace, "segments", "segment", [{ entity: segments.entity(segment) }]);
    }
    if (!mayChangeAudiences(person, segment.account)) return forbidden(trace);
    if (deleting) {
      segments.remove(segment);
      return answers.plain(trace, { segments: [] });
    }
    if (child === "users" && (method === "POST" || method === "DELETE")) {
      if (!index.organizations.get(segment.account.organizationId)?.termsAccepted) return termsMissing(trace);
      return audiences.members(incoming, trace, segment);
    }
    if (child === "all_users" && method === "DELETE") {
      segments.empty(segment);
      return list(trace, "segments", "segment", [{ entity: segments.entity(segment) }]);
    }
    return child === "" || child === "users" || child === "all_users" ? methodNotAllowed(trace) : notFound(trace);
  }

  function termsMissing(trace: Trace): Outgoing {
    // How Snapchat answers here is unknown: the same 403, with a sentence of ours.
    return answers.error(trace, 403, "E3002", "The Customer List terms have not been accepted");
  }

  return { handle, segments };
}
