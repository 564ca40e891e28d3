import type { Segments } from "./ads/segments.ts";
import type { Knobs } from "./knobs.ts";
import type { TokenAnswer, TokenStore } from "./tokens.ts";
import {
  type App,
  type Builder,
  type Person,
  SCOPE_CONVERSIONS,
  SCOPE_MARKETING,
  type World,
  type WorldIndex,
} from "./world.ts";

/** What happens at Snapchat without the host: somebody revokes, removes, deletes, accepts; time passes. */
export interface Control extends Builder {
  /** A token pair without clicking through sign-in and consent. */
  issueToken(options?: { person?: string; app?: App; scopes?: string[] }): TokenAnswer;
  /** Access tokens die now. Without a person: everybody's. The number that died. */
  revokeAccessTokens(person?: string): number;
  /** Refresh tokens die now: the next refresh answers `invalid_grant`. */
  revokeRefreshTokens(person?: string): number;
  /** A long-lived token is deleted in Ads Manager. By its id or its text. */
  revokeConversionsToken(token: string): void;
  /** Roles of a person in an organization or an ad account; an empty list takes them away. */
  setRoles(person: string, containerId: string, roles: string[]): void;
  /** The person leaves the organization, and every account in it; the knob `removedMemberTokens` says what else. */
  removePerson(person: string, organizationId: string): void;
  /** A person deletes a segment in Ads Manager. */
  deleteSegment(segmentId: string): void;
  /** Somebody accepts the Customer List terms; `false`: nobody has. */
  acceptTerms(organizationId: string, accepted?: boolean): void;
  /** An ad account is paused, disabled or active again. */
  setAdAccountStatus(adAccountId: string, status: "ACTIVE" | "PAUSED" | "DISABLED"): void;
  /** Time passes at Snapchat. Milliseconds. */
  advance(ms: number): void;
}

export function createControl(
  parts: {
    world: World;
    index: WorldIndex;
    build: Builder;
    tokens: TokenStore;
    segments: Segments;
    knobs: Knobs;
  },
  advance: (ms: number) => void,
): Control {
  const { world, index, build, tokens, segments, knobs } = parts;

  function personNamed(name: string): Person {
    const person = world.people.find((candidate) => candidate.name === name || candidate.id === name);
    if (!person) throw new Error(`The simulator has no person called ${name}.`);
    return person;
  }

  function revoke(held: Iterable<{ person: Person; revoked: boolean }>, name: string | undefined): number {
    const person = name === undefined ? undefined : personNamed(name);
    let revoked = 0;
    for (const token of held) {
      if (token.revoked || (person && token.person !== person)) continue;
      token.revoked = true;
      revoked += 1;
    }
    return revoked;
  }

  return {
    ...build,
    issueToken({ person, app = world.apps[0], scopes = [SCOPE_MARKETING, SCOPE_CONVERSIONS] } = {}) {
      if (!app) throw new Error("The simulator has no OAuth app.");
      return tokens.issue(person === undefined ? world.main.person : personNamed(person), app, scopes);
    },
    revokeAccessTokens: (person) => revoke(tokens.access.values(), person),
    revokeRefreshTokens: (person) => revoke(tokens.refresh.values(), person),
    revokeConversionsToken(token) {
      const held = world.conversionsTokens.find((candidate) => candidate.token === token || candidate.id === token);
      if (!held) throw new Error("The simulator has no such Conversions API token.");
      held.revoked = true;
    },
    setRoles(name, containerId, roles) {
      const person = personNamed(name);
      if (index.organizations.has(containerId)) person.organizationRoles.set(containerId, [...roles]);
      else if (index.adAccounts.has(containerId)) person.adAccountRoles.set(containerId, [...roles]);
      else throw new Error(`The simulator has no organization or ad account with the id ${containerId}.`);
    },
    removePerson(name, organizationId) {
      const person = personNamed(name);
      person.organizationRoles.delete(organizationId);
      for (const account of world.adAccounts) {
        if (account.organizationId === organizationId) person.adAccountRoles.delete(account.id);
      }
      if (knobs.removedMemberTokens === "die") {
        revoke(tokens.access.values(), name);
        revoke(tokens.refresh.values(), name);
      }
    },
    deleteSegment(segmentId) {
      const segment = segments.get(segmentId);
      if (!segment) throw new Error(`The simulator has no segment with the id ${segmentId}.`);
      segments.remove(segment);
    },
    acceptTerms(organizationId, accepted = true) {
      const organization = index.organizations.get(organizationId);
      if (!organization) throw new Error(`The simulator has no organization with the id ${organizationId}.`);
      organization.termsAccepted = accepted;
    },
    setAdAccountStatus(adAccountId, status) {
      const account = index.adAccounts.get(adAccountId);
      if (!account) throw new Error(`The simulator has no ad account with the id ${adAccountId}.`);
      account.status = status;
    },
    advance,
  };
}
