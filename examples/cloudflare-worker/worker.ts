import { createSnapchat, type Snapchat, type SnapchatOptions } from "snapchat-destination";
import { preloadIdentity } from "snapchat-destination/identity";
import type { Storage } from "snapchat-destination/storage";
import { loadSchemas } from "snapchat-destination/workflow";

/** Secrets and variables of the worker. */
export interface Env {
  CLIENT_ID: string;
  CLIENT_SECRET: string;
  REDIRECT_URI: string;
  /** 32 random bytes, base64. */
  ENCRYPTION_KEY: string;
  /** What your own platform signs its requests with. */
  INGEST_KEY: string;
}

export interface WorkerOptions {
  /**
   * Reached over the network and with compare-and-set: five functions on a Durable Object, or Postgres. An isolate's
   * memory ends at any time, and Workers KV does not compare.
   */
  storage(env: Env): Storage;
  /** Other endpoints, for a simulator. */
  options?: Partial<SnapchatOptions>;
}

/** Takes events in at `POST /events/<tenant>`, delivers them from a cron trigger. */
export function createWorker({ storage, options }: WorkerOptions) {
  let opened: Promise<Snapchat> | undefined;

  async function open(env: Env): Promise<Snapchat> {
    // A bundle does not load them at first use, and no I/O is allowed before a handler runs.
    await Promise.all([loadSchemas(), preloadIdentity()]);
    return createSnapchat({
      app: { clientId: env.CLIENT_ID, clientSecret: env.CLIENT_SECRET, redirectUri: env.REDIRECT_URI },
      storage: storage(env),
      encryptionKeys: [env.ENCRYPTION_KEY],
      ...options,
    });
  }
  const snapchatOf = (env: Env) => {
    opened ??= open(env);
    return opened;
  };

  return {
    async fetch(request: Request, env: Env): Promise<Response> {
      const tenantId = new URL(request.url).pathname.match(/^\/events\/([\w-]+)$/)?.[1];
      if (request.method !== "POST" || !tenantId) return new Response("Not found", { status: 404 });
      if (request.headers.get("authorization") !== `Bearer ${env.INGEST_KEY}`) {
        return new Response("Unauthorized", { status: 401 });
      }
      const events: unknown = await request.json().catch(() => undefined);
      if (!Array.isArray(events)) return new Response("An array of events, please", { status: 400 });
      const snapchat = await snapchatOf(env);
      const receipts = await snapchat.tenant(tenantId).track(events, { receivedAt: Date.now() });
      return Response.json(receipts.map(({ eventId, status }) => ({ eventId, status })));
    },
    /** `[triggers] crons = ["* * * * *"]`: what is left goes with the next minute's run. */
    async scheduled(_event: unknown, env: Env): Promise<void> {
      await (await snapchatOf(env)).drain({ maxMs: 25_000 });
    },
  };
}
