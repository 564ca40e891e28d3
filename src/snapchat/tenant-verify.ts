import { type ActiveDestination, type Destination, type PreflightReport, problem } from "../destinations/index.ts";
import { isSnapchatError, type SnapchatError } from "../errors.ts";
import type { Workflow } from "../workflow/index.ts";
import type { TenantDependencies, TokensOf } from "./tenant.ts";
import { type VerifyReport, verify } from "./verify/verify.ts";
import { hostWords } from "./words.ts";

/** What a tenant's handle has that `verify` needs besides the rooms. */
interface TenantParts {
  tenantId: string;
  /** The destination, which is this tenant's. */
  mine(destinationId: string): Promise<Destination>;
  active(destinationId: string): Promise<ActiveDestination>;
  preflight(destinationId: string): Promise<PreflightReport>;
  tokensOf(destination: Destination): Promise<TokensOf>;
}

/** Collects the facts of one destination and lets the check engine speak about them. */
export function createTenantVerify(rooms: TenantDependencies, parts: TenantParts) {
  const { tenantId } = parts;

  return async function verifyDestination(destinationId: string): Promise<VerifyReport> {
    try {
      return await verifyNow(destinationId);
    } catch (error) {
      if (!isSnapchatError(error) || error.code !== "encryption_key_gone") throw error;
      return withoutKey(destinationId, error);
    }
  };

  async function verifyNow(destinationId: string): Promise<VerifyReport> {
    const destination = await current(destinationId);
    const { activity, clock } = rooms;
    const [[depth], tokens, preflight, signals, seen, lastDeliveredMs] = await Promise.all([
      rooms.storage.outbox.depth([destinationId]),
      parts.tokensOf(destination),
      parts.preflight(destinationId),
      activity.signals.report({ tenantId, destinationId }),
      activity.seen.list(tenantId),
      activity.delivered.read(tenantId, destinationId),
    ]);
    return verify({
      destinationId,
      preflight,
      questions: {
        pixelId: destination.pixelId,
        tokens: tokens.all,
        beforeRequest: tokens.beforeRequest,
        conversions: rooms.conversions,
        async domains() {
          if (!destination.pixelId || !tokens.login) return undefined;
          await tokens.beforeRequest();
          return rooms.domains(destination.pixelId, tokens.login).catch(() => undefined);
        },
        integration: rooms.integration,
        clock,
      },
      segments: await rooms.segments.list(await parts.active(destinationId)),
      signals,
      events: { workflow: destination.workflow as Workflow | undefined, seen, lastDeliveredMs, nowMs: clock.now() },
      depth,
      say: hostWords(rooms.plugins, tenantId),
    });
  }

  /** The destination; a token that was not accepted yet is asked about once more. */
  async function current(destinationId: string): Promise<Destination> {
    const destination = await parts.mine(destinationId);
    const status = destination.conversionsToken?.status;
    if (status === undefined || status === "accepted") return destination;
    return rooms.destinations.checkToken(tenantId, destinationId);
  }

  /** Nothing sealed can be opened, so there is one thing to say. */
  async function withoutKey(destinationId: string, error: SnapchatError): Promise<VerifyReport> {
    const line = problem(error.code, error.message, error.fix);
    const [[depth], signals] = await Promise.all([
      rooms.storage.outbox.depth([destinationId]),
      rooms.activity.signals.report({ tenantId, destinationId }),
    ]);
    return verify({
      destinationId,
      preflight: { destinationId, ok: false, lines: [line] },
      questions: {
        pixelId: undefined,
        tokens: [],
        beforeRequest: async () => {},
        conversions: rooms.conversions,
        domains: async () => undefined,
        integration: rooms.integration,
        clock: rooms.clock,
      },
      segments: [],
      signals,
      events: { workflow: undefined, seen: [], lastDeliveredMs: {}, nowMs: rooms.clock.now() },
      depth,
      say: hostWords(rooms.plugins, tenantId),
    });
  }
}
