import { randomBytes } from "node:crypto";
import type { Fetch } from "../../http/index.ts";
import { memory } from "../../memory/index.ts";
import type { VerifyReport } from "../../snapchat/verify/verify.ts";
import { createSnapchat } from "../../snapchat.ts";
import type { Patient } from "./ask.ts";

/** An access token lives an hour; nothing here refreshes it. */
const TOKEN_LIFE_MS = 3_000_000;

/** The same checks as `verify`, on a destination that lives in memory for as long as they take. */
export async function examine(patient: Patient, fetch: Fetch | undefined): Promise<VerifyReport> {
  const { endpoints } = patient;
  const snapchat = createSnapchat({
    app: { clientId: "doctor", clientSecret: "doctor", redirectUri: "http://127.0.0.1/callback" },
    storage: memory(),
    acceptLoss: true,
    encryptionKeys: [randomBytes(32).toString("base64")],
    endpoints,
    allowEndpoints: Object.values(endpoints).map((address) => new URL(address).origin),
    integration: "snapchat-destination doctor",
    ...(fetch ? { fetch } : {}),
  });
  try {
    const tenant = snapchat.tenant("doctor");
    const { id } = await tenant.destinations.create({ name: "doctor" });
    const { accessToken, conversionsToken, pixelId, mobileAppId, adAccountId, organizationId } = patient;
    if (accessToken !== undefined) {
      // Without a refresh token of the person's own, nothing here can end their other logins.
      await tenant.connections.import(id, { refreshToken: "none", accessToken, expiresInMs: TOKEN_LIFE_MS });
    }
    await tenant.destinations.update(id, {
      ...(organizationId === undefined ? {} : { organizationId }),
      ...(adAccountId === undefined ? {} : { adAccountId }),
      ...(pixelId === undefined ? {} : { pixelId }),
      ...(mobileAppId === undefined ? {} : { mobileAppId }),
      ...(conversionsToken === undefined ? {} : { conversionsToken }),
    });
    return await tenant.verify(id);
  } finally {
    await snapchat.close();
  }
}
