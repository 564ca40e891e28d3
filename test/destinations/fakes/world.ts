import {
  type AccountTree,
  type ConnectionInfo,
  createContext,
  createDestinations,
  type DestinationsOptions,
  type QueueControl,
  type SegmentControl,
} from "../../../src/destinations/index.ts";
import { SnapchatError } from "../../../src/errors.ts";
import type { Records } from "../../../src/storage/ports.ts";
import { FakeClock } from "./clock.ts";
import { MemoryQueue } from "./queue.ts";
import { MemoryRecords } from "./records.ts";

export const ORG = "0a0a0a0a-1111-4222-8333-444444444444";
export const ACCOUNT = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeee1";
export const ACCOUNT_2 = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeee2";
export const PIXEL = "11111111-2222-4333-8444-555555555551";
export const PIXEL_2 = "11111111-2222-4333-8444-555555555552";
export const OTHER_ORG = "0a0a0a0a-1111-4222-8333-999999999999";
export const OTHER_PIXEL = "11111111-2222-4333-8444-999999999999";
export const APP = "33333333-2222-4333-8444-555555555551";
export const TOKEN = "conversions-token-canary-3f9a";

/** A business with two ad accounts of one pixel each, one paused account without a pixel, and another business. */
export const tree: AccountTree = {
  organizations: [
    {
      id: ORG,
      name: "Northwind Retail",
      available: true,
      roles: ["member"],
      mobileApps: [{ id: APP, name: "Northwind app", available: true }],
      adAccounts: [
        {
          id: ACCOUNT,
          name: "Northwind UK",
          available: true,
          status: "ACTIVE",
          roles: ["audience"],
          pixels: [{ id: PIXEL, name: "UK", available: true }],
        },
        {
          id: ACCOUNT_2,
          name: "Northwind DE",
          available: true,
          status: "ACTIVE",
          roles: ["admin"],
          pixels: [{ id: PIXEL_2, name: "DE", available: true }],
        },
        {
          id: "paused",
          name: "Northwind old",
          available: false,
          why: "it is paused",
          status: "PAUSED",
          roles: ["admin"],
          pixels: [],
        },
      ],
    },
    {
      id: OTHER_ORG,
      name: "Contoso",
      available: true,
      roles: ["admin"],
      adAccounts: [
        {
          id: "contoso-account",
          name: "Contoso US",
          available: true,
          status: "ACTIVE",
          roles: [],
          pixels: [{ id: OTHER_PIXEL, name: "US", available: true }],
        },
      ],
    },
  ],
};

export interface World extends ReturnType<typeof createWorld> {}

/** `clock` to `connections`: those of another process on the same storage. */
interface Shared {
  clock?: FakeClock;
  records?: MemoryRecords;
  queue?: MemoryQueue;
  connections?: Map<string, ConnectionInfo>;
  /** A real storage in place of the two fakes. */
  storage?: { records: Records; outbox: QueueControl };
  /** What the workflow has switched on. */
  toggles?: Toggles;
}

type Toggles = { server: number; client: number; audience: number };

/** A whole room with fakes around it. */
export function createWorld(shared: Shared = {}) {
  const clock = shared.clock ?? new FakeClock();
  const records = shared.records ?? new MemoryRecords(clock);
  const queue = shared.queue ?? new MemoryQueue();
  /** By `tenant connection`. */
  const connections = shared.connections ?? new Map<string, ConnectionInfo>();
  const segmentCalls: unknown[][] = [];
  const judged: { assetId: string; text: string }[] = [];
  const script = {
    token: "accepted" as "accepted" | "refused" | "unknown" | Error,
    tree: tree as AccountTree | Error,
    toggles: shared.toggles,
    ownNames: [] as { rule: string; name: string }[],
  };

  const segments: SegmentControl = {
    async release(...call) {
      segmentCalls.push(["release", ...call]);
      return {
        kept: call[2] === "keep" ? 1 : 0,
        emptied: call[2] === "empty" ? 1 : 0,
        deleted: call[2] === "delete" ? 1 : 0,
        failed: [],
      };
    },
    async moveAccount(...call) {
      segmentCalls.push(["moveAccount", ...call]);
    },
    async reopen(...call) {
      segmentCalls.push(["reopen", ...call]);
    },
    async follow() {},
  };
  const options: DestinationsOptions = {
    records: shared.storage?.records ?? records,
    queue: shared.storage?.outbox ?? queue,
    clock,
    segments,
    sealer: {
      sealText: (plain, aad) => `sealed:${aad}:${Buffer.from(plain).reverse().toString("base64")}`,
      openText: (sealed, aad) => {
        const [, place, text = ""] = sealed.split(":");
        if (place !== aad) throw new Error("moved");
        return Buffer.from(text, "base64").reverse().toString();
      },
    },
    connections: {
      info: async (tenantId, connectionId) => connections.get(`${tenantId} ${connectionId}`),
      disconnect: async (tenantId, connectionId) => void connections.delete(`${tenantId} ${connectionId}`),
    },
    accounts: {
      async tree() {
        if (script.tree instanceof Error) throw script.tree;
        return script.tree;
      },
    },
    tokenCheck: {
      async check(_place, { assetId, token }) {
        judged.push({ assetId, text: token.reveal() });
        if (script.token instanceof Error) throw script.token;
        return script.token;
      },
    },
    workflowCheck: {
      toggles: () => script.toggles,
      ownNames: () => script.ownNames,
      parse(json) {
        if (typeof json === "object" && json !== null && "rules" in json) return json;
        throw new SnapchatError({
          code: "workflow_invalid",
          kind: "fix_configuration",
          message: "No rules.",
          fix: "Add rules.",
        });
      },
    },
  };
  const context = createContext(options);
  const destinations = createDestinations(context);

  /** A login of a tenant. */
  function signIn(tenantId: string, id = "c1", info: Partial<ConnectionInfo> = {}): string {
    connections.set(`${tenantId} ${id}`, {
      id,
      status: "connected",
      person: "Ada",
      scopes: ["snapchat-marketing-api", "snapchat-offline-conversions-api"],
      ...info,
    });
    return id;
  }

  /** A destination that is ready and enabled. */
  async function enabledShop(tenantId = "acme") {
    const shop = await destinations.create(tenantId, { name: "Shop" });
    await destinations.connect(tenantId, shop.id, signIn(tenantId));
    await destinations.update(tenantId, shop.id, {
      adAccountId: ACCOUNT,
      pixelId: PIXEL,
      conversionsToken: TOKEN,
      workflow: { rules: [] },
    });
    return destinations.enable(tenantId, shop.id);
  }

  return {
    clock,
    records,
    queue,
    connections,
    context,
    destinations,
    segmentCalls,
    judged,
    script,
    signIn,
    enabledShop,
  };
}
