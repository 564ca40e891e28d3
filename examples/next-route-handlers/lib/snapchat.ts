import { createSnapchat, type Snapchat } from "snapchat-destination";
import { sqlite } from "snapchat-destination/sqlite";
import { handlers } from "../../connect/next.ts";

// Next evaluates a module once for each bundle and again on every change in development: one composition for the process.
const kept = globalThis as { snapchat?: Snapchat };

function open(): Snapchat {
  const { SNAPCHAT_CLIENT_ID, SNAPCHAT_CLIENT_SECRET, SNAPCHAT_REDIRECT_URI, SNAPCHAT_KEY, SNAPCHAT_DB } = process.env;
  return createSnapchat({
    app: {
      clientId: SNAPCHAT_CLIENT_ID ?? "",
      clientSecret: SNAPCHAT_CLIENT_SECRET ?? "",
      redirectUri: SNAPCHAT_REDIRECT_URI ?? "",
    },
    storage: sqlite(SNAPCHAT_DB ?? "snapchat.db"),
    encryptionKeys: [SNAPCHAT_KEY ?? ""],
  });
}

/** Opened at the first request, so that a build needs no secrets. */
export function snapchat(): Snapchat {
  kept.snapchat ??= open();
  return kept.snapchat;
}

/** Your own session: may whoever sends this cookie edit the tenant's destinations? */
const mayEdit = (cookie: string | undefined, tenantId: string): boolean =>
  (cookie ?? "").split("; ").includes(`session=${tenantId}`);

export const signIn = () => handlers({ oauth: snapchat().oauth, mayEdit });
