import type { DeliverySettings } from "../../../src/index.ts";
import type { SimulatorEndpoints } from "../../../src/testing/index.ts";

/** What a mirroring process is told. */
export interface MirrorOrder {
  app: { clientId: string; clientSecret: string; redirectUri: string };
  /** A file of SQLite, or the address of a Postgres. */
  database: string;
  /** Of Postgres. */
  schema?: string;
  key: string;
  endpoints: SimulatorEndpoints;
  url: string;
  destinationId: string;
  segment: string;
  runId: string;
  count: number;
  /** Every how manieth person is another one; 0: none. */
  changeEvery: number;
  delivery: Partial<DeliverySettings>;
}

/** Where a process's memory lies. Megabytes. */
export interface MemoryHeld {
  rssMb: number;
  heapUsedMb: number;
  heapMb: number;
  externalMb: number;
  buffersMb: number;
}

/** The n-th person of the list. */
export function addressOf(n: number, { changeEvery }: Pick<MirrorOrder, "changeEvery">): string {
  return changeEvery > 0 && n % changeEvery === 0 ? `new-${n}@example.com` : `person-${n}@example.com`;
}
