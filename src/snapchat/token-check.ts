import type { ConversionsClient } from "../capi/index.ts";
import type { TokenCheck } from "../destinations/index.ts";
import { isSnapchatError } from "../errors.ts";

/** Asks Snapchat for an asset's counters with the token: what it may read it may write, and no event is made up. */
export function createTokenCheck(conversions: Pick<ConversionsClient, "stats">): TokenCheck {
  return {
    async check(_tenantId, { assetId, token }) {
      try {
        await conversions.stats(assetId, { token });
        return "accepted";
      } catch (error) {
        if (!isSnapchatError(error)) return "unknown";
        return error.kind === "reauthorize" || error.kind === "fix_configuration" ? "refused" : "unknown";
      }
    },
  };
}
