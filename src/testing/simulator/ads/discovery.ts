import type { Core, Trace } from "../core.ts";
import { type Incoming, isObject, type Outgoing, parseJson } from "../message.ts";
import { isMember, isOrganizationAdmin, maySeeAdAccount } from "../roles.ts";
import type { AdAccount, Asset, Organization, Person } from "../world.ts";
import type { Answers } from "./answers.ts";
import {
  adAccountEntity,
  meEntity,
  memberEntity,
  mobileAppEntity,
  organizationEntity,
  pixelEntity,
  roleEntities,
} from "./entities.ts";
import { subError } from "./envelope.ts";
import { domainStats, pixelStats } from "./statistics.ts";

/** Who somebody is, and what they may see: me, organizations, pixels. */
export function createDiscovery(core: Core, answers: Answers) {
  const { world, index } = core;
  const { list, paged, notFound, forbidden, methodNotAllowed } = answers;

  return {
    me: routeMe,
    organization: routeOrganization,
    accountPixels: routeAccountPixels,
    pixel: routePixel,
    maySeePixel,
  };

  function routeMe(incoming: Incoming, trace: Trace, person: Person, id: string, child: string): Outgoing {
    if (incoming.method !== "GET" || child !== "") return methodNotAllowed(trace);
    if (id === "") return answers.plain(trace, { me: meEntity(person, world) });
    if (id !== "organizations") return notFound(trace);
    const withAccounts = incoming.query.get("with_ad_accounts") === "true";
    const items = world.organizations
      .filter((organization) => isMember(person, organization.id))
      .map((organization) => ({
        entity: organizationEntity(organization, person, withAccounts ? accountsOf(organization) : undefined),
      }));
    return list(trace, "organizations", "organization", items);
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
      return list(trace, "organizations", "organization", [{ entity }]);
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
      return list(trace, "members", "member", items);
    }
    if (child === "roles") {
      const items = members
        .flatMap((member) => roleEntities(member, organization, accountsOf(organization)))
        .map((entity) => ({ entity }));
      return list(trace, "roles", "role", items);
    }
    return notFound(trace);
  }

  function routeAccountPixels(incoming: Incoming, trace: Trace, person: Person, account: AdAccount): Outgoing {
    const pixels = world.pixels.filter((pixel) => pixel.adAccountId === account.id);
    const entity = (pixel: Asset) => ({ entity: pixelEntity(pixel, core.endpoints.pixelScript) });
    if (incoming.method === "GET") {
      return list(trace, "pixels", "pixel", pixels.map(entity), { paging: {} });
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
    return list(trace, "pixels", "pixel", items);
  }

  function routePixel(incoming: Incoming, trace: Trace, pixel: Asset, child: string, grandchild: string): Outgoing {
    if (incoming.method !== "GET") return methodNotAllowed(trace);
    if (child === "" && grandchild === "") {
      const entity = pixelEntity(pixel, core.endpoints.pixelScript);
      return list(trace, "pixels", "pixel", [{ entity }]);
    }
    const activity = core.store.activity(pixel.id);
    if (child === "stats" && grandchild === "") {
      const answer = pixelStats(pixel, activity, incoming.query);
      if (typeof answer === "string") return answers.error(trace, 400, "E1008", answer);
      return list(trace, "timeseries_stats", "timeseries_stat", [{ entity: answer }], {
        paging: {},
      });
    }
    if (child === "domains" && grandchild === "stats") {
      const entity = domainStats(pixel, activity, core.now());
      return list(trace, "timeseries_stats", "timeseries_stat", [{ entity }], { paging: {} });
    }
    return notFound(trace);
  }
}

function byIndex(_entity: unknown, index: number): number {
  return index;
}
