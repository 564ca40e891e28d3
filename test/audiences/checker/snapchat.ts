import type { AudiencesClientOptions } from "../../../src/audiences/index.ts";
import type { HttpClient } from "../../../src/http/index.ts";

/** Snapchat as a history needs it. */
export interface Snapchat {
  /** As one process reaches it. */
  client(worker: string): HttpClient;
  adAccountId: string;
  options?: Pick<AudiencesClientOptions, "endpoints">;
  /** Members of the segment with this marker, as `EMAIL_SHA256 <hash>`. */
  members(marker: string): ReadonlySet<string>;
  /** Deletes it in Ads Manager. False: there is none. */
  remove(marker: string): boolean;
  /** Resolves when no request is on its way: the simulator takes real time, the model none. */
  idle?(): Promise<void>;
  close?(): Promise<void>;
}
