import type { Core, Trace } from "../core.ts";
import { type Incoming, isObject, json, type Outgoing, parseJson, text } from "../message.ts";
import type { Standing } from "../rates.ts";
import { isMember, isOrganizationAdmin, mayChangeAudiences, maySeeAdAccount } from "../roles.ts";
import { type AdAccount, type Asset, type Organization, type Person, SCOPE_MARKETING } from "../world.ts";
import { createAudiences } from "./audiences.ts";
import { adAccountEntity, meEntity, memberId, mobileAppEntity, organizationEntity, pixelEntity } from "./entities.ts";
import { createEnvelopes, pageOf, subError } from "./envelope.ts";
import { createSegments, type Segment } from "./segments.ts";
import { domainStats, pixelStats } from "./statistics.ts";

const WRITE_WINDOW_MS = 5_000;

/** `adsapi.snapchat.com/v1`: accounts, segments, members. */
export function createAds(core: Core) {
  const { knobs, world, index } = core;
  const envelopes = createEnvelopes(knobs);
  const segments = createSegments(knobs, core.random, core.now);
  const audiences = createAudiences(core, segments, envelopes);

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
      ...(allowed ? {} : { limited: envelopes.error(trace.requestId, 429, undefined, "Too Many Requests") }),
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

  function notFound(trace: Trace): Outgoing {
    return envelopes.error(
      trace.requestId,
      404,
      "E3003",
      "Resource can not be found",
      "We're sorry, but the requested resource is not available at this time",
    );
  }

  function forbidden(trace: Trace): Outgoing {
    return envelopes.error(trace.requestId, 403, "E3002", "Caller does not have permission");
  }

  function route(incoming: Incoming, trace: Trace, person: Person): Outgoing {
    const [, , collection = "", id = "", child = "", grandchild = "", ...rest] = incoming.path.split("/");
    if (rest.length > 0) return notFound(trace);
    if (collection === "me") return routeMe(incoming, trace, person, id, child);
    if (collection === "organizations") {
      const organization = index.organizations.get(id);
      if (!organization || grandchild !== "") return notFound(trace);
      if (!isMember(person, organization.id)) return forbidden(trace);
      return routeOrganization(incoming, trace, person, organization, child);
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
      if (!maySeePixel(person, pixel)) return forbidden(trace);
      return routePixel(incoming, trace, pixel, child, grandchild);
    }
    if (collection === "segments" && grandchild === "") return routeSegment(incoming, trace, person, id, child);
    return notFound(trace);
  }

  function routeMe(incoming: Incoming, trace: Trace, person: Person, id: string, child: string): Outgoing {
    if (incoming.method !== "GET" || child !== "") return methodNotAllowed(trace);
    if (id === "") return envelopes.plain(trace.requestId, { me: meEntity(person, world) });
    if (id !== "organizations") return notFound(trace);
    const withAccounts = incoming.query.get("with_ad_accounts") === "true";
    const items = world.organizations
      .filter((organization) => isMember(person, organization.id))
      .map((organization) => ({
        entity: organizationEntity(organization, person, withAccounts ? accountsOf(organization) : undefined),
      }));
    return envelopes.list(trace.requestId, "organizations", "organization", items);
  }

  function accountsOf(organization: Organization): AdAccount[] {
    return world.adAccounts.filter((account) => account.organizationId === organization.id);
  }

  function maySeePixel(person: Person, pixel: Asset): boolean {
    const account = index.adAccounts.get(pixel.adAccountId ?? "");
    return account !== undefined && maySeeAdAccount(person, account);
  }

  function routeOrganization(
    incoming: Incoming,
    trace: Trace,
    person: Person,
    organization: Organization,
    child: string,
  ): Outgoing {
    if (incoming.method !== "GET") return methodNotAllowed(trace);
    if (child === "") {
      const entity = organizationEntity(organization, person, undefined);
      return envelopes.list(trace.requestId, "organizations", "organization", [{ entity }]);
    }
    if (child === "adaccounts") {
      const accounts = accountsOf(organization).filter((account) => maySeeAdAccount(person, account));
      return paged(incoming, trace, "adaccounts", "adaccount", accounts, byIndex, adAccountEntity);
    }
    if (child === "pixels") {
      const pixels = world.pixels.filter((p) => p.organizationId === organization.id && maySeePixel(person, p));
      return paged(incoming, trace, "pixels", "pixel", pixels, byIndex, (p) =>
        pixelEntity(p, core.endpoints.pixelScript),
      );
    }
    if (child === "mobile_apps") {
      const apps = world.mobileApps.filter((app) => app.organizationId === organization.id);
      return paged(incoming, trace, "mobile_apps", "mobile_app", apps, byIndex, mobileAppEntity);
    }
    const members = world.people.filter((other) => isMember(other, organization.id));
    if (child === "members") {
      const items = members.map((member) => ({ entity: memberEntity(member, organization) }));
      return envelopes.list(trace.requestId, "members", "member", items);
    }
    if (child === "roles") {
      const items = members.flatMap((member) => roleEntities(member, organization)).map((entity) => ({ entity }));
      return envelopes.list(trace.requestId, "roles", "role", items);
    }
    return notFound(trace);
  }

  function memberEntity(member: Person, organization: Organization): Record<string, unknown> {
    return {
      id: memberId(member, organization),
      organization_id: organization.id,
      member_status: "MEMBER",
      email: member.email,
      display_name: member.displayName,
    };
  }

  function roleEntities(member: Person, organization: Organization): Record<string, unknown>[] {
    const role = (kind: string, id: string, type: string) => ({
      id: `${memberId(member, organization).slice(0, 24)}${type}`,
      container_kind: kind,
      container_id: id,
      member_id: memberId(member, organization),
      organization_id: organization.id,
      type,
    });
    const own = (member.organizationRoles.get(organization.id) ?? []).map((t) =>
      role("Organizations", organization.id, t),
    );
    const accounts = accountsOf(organization).flatMap((account) =>
      (member.adAccountRoles.get(account.id) ?? []).map((type) => role("AdAccounts", account.id, type)),
    );
    return [...own, ...accounts];
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
      return envelopes.list(trace.requestId, "adaccounts", "adaccount", [{ entity: adAccountEntity(account) }]);
    }
    if (child === "pixels") return routeAccountPixels(incoming, trace, person, account);
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

  function routeAccountPixels(incoming: Incoming, trace: Trace, person: Person, account: AdAccount): Outgoing {
    const pixels = world.pixels.filter((pixel) => pixel.adAccountId === account.id);
    const entity = (pixel: Asset) => ({ entity: pixelEntity(pixel, core.endpoints.pixelScript) });
    if (incoming.method === "GET") {
      return envelopes.list(trace.requestId, "pixels", "pixel", pixels.map(entity), { paging: {} });
    }
    if (incoming.method !== "PUT") return methodNotAllowed(trace);
    if (!isOrganizationAdmin(person, account.organizationId)) return forbidden(trace);
    const body = parseJson(incoming.body);
    const inputs = isObject(body) && Array.isArray(body.pixels) ? body.pixels : [];
    const items = inputs.map((input) => {
      const pixel = isObject(input) ? pixels.find(({ id }) => id === input.id) : undefined;
      if (!pixel || !isObject(input) || typeof input.name !== "string") {
        return subError("E3004", "Entity does not exist or you do not have permission to access it");
      }
      pixel.name = input.name;
      return entity(pixel);
    });
    return envelopes.list(trace.requestId, "pixels", "pixel", items);
  }

  function routePixel(incoming: Incoming, trace: Trace, pixel: Asset, child: string, grandchild: string): Outgoing {
    if (incoming.method !== "GET") return methodNotAllowed(trace);
    if (child === "" && grandchild === "") {
      const entity = pixelEntity(pixel, core.endpoints.pixelScript);
      return envelopes.list(trace.requestId, "pixels", "pixel", [{ entity }]);
    }
    const activity = core.store.activity(pixel.id);
    if (child === "stats" && grandchild === "") {
      const answer = pixelStats(pixel, activity, incoming.query);
      if (typeof answer === "string") return envelopes.error(trace.requestId, 400, "E1008", answer);
      return envelopes.list(trace.requestId, "timeseries_stats", "timeseries_stat", [{ entity: answer }], {
        paging: {},
      });
    }
    if (child === "domains" && grandchild === "stats") {
      const entity = domainStats(pixel, activity, core.now());
      return envelopes.list(trace.requestId, "timeseries_stats", "timeseries_stat", [{ entity }], { paging: {} });
    }
    return notFound(trace);
  }

  function routeSegment(incoming: Incoming, trace: Trace, person: Person, id: string, child: string): Outgoing {
    const { method } = incoming;
    const segment = segments.get(id);
    const deleting = child === "" && method === "DELETE";
    if (!segment) {
      if (!deleting) return notFound(trace);
      const reason = subError("E3004", "Entity does not exist or you do not have permission to access it");
      return envelopes.list(trace.requestId, "segments", "segment", [reason]);
    }
    if (!maySeeAdAccount(person, segment.account)) return forbidden(trace);
    if (method === "GET" && child === "") {
      return envelopes.list(trace.requestId, "segments", "segment", [{ entity: segments.entity(segment) }]);
    }
    if (!mayChangeAudiences(person, segment.account)) return forbidden(trace);
    if (deleting) {
      segments.remove(segment);
      return envelopes.plain(trace.requestId, { segments: [] });
    }
    if (child === "users" && (method === "POST" || method === "DELETE")) {
      if (!index.organizations.get(segment.account.organizationId)?.termsAccepted) return termsMissing(trace);
      return audiences.members(incoming, trace, segment);
    }
    if (child === "all_users" && method === "DELETE") {
      segments.empty(segment);
      return envelopes.list(trace.requestId, "segments", "segment", [{ entity: segments.entity(segment) }]);
    }
    return child === "" || child === "users" || child === "all_users" ? methodNotAllowed(trace) : notFound(trace);
  }

  function termsMissing(trace: Trace): Outgoing {
    // How Snapchat answers here is unknown: the same 403, with a sentence of ours.
    return envelopes.error(trace.requestId, 403, "E3002", "The Customer List terms have not been accepted");
  }

  function methodNotAllowed(trace: Trace): Outgoing {
    return envelopes.error(trace.requestId, 405, undefined, "Method Not Allowed");
  }

  function paged<T>(
    incoming: Incoming,
    trace: Trace,
    plural: string,
    singular: string,
    entities: readonly T[],
    orderOf: (entity: T, index: number) => number,
    toEntity: (entity: T) => Record<string, unknown>,
  ): Outgoing {
    const page = pageOf(entities, orderOf, incoming, core.endpoints.adsApi, knobs);
    if ("refused" in page) return envelopes.error(trace.requestId, 400, "E1001", page.refused);
    const items = page.page.map((entity) => ({ entity: toEntity(entity) }));
    return envelopes.list(trace.requestId, plural, singular, items, { paging: page.paging });
  }

  return { handle, segments, entity: (segment: Segment) => segments.entity(segment) };
}

function byIndex(_entity: unknown, index: number): number {
  return index;
}
