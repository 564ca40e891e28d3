import type { ConversionsClient } from "../capi/index.ts";
import type { TokenCheck } from "../destinations/index.ts";
import { isSnapchatError } from "../errors.ts";

/**
 * Asks Snapchat for an asset's counters with the token: what it may read it may write, and no event is made up.
 *
 * @param slot resolves when a request with the token may leave
 */
export function createTokenCheck(
  conversions: Pick<ConversionsClient, "stats">,
  slot: (place: Parameters<TokenCheck["check"]>[0]) => Promise<void>,
): TokenCheck {
  return {
    async check(place, { assetId, token }) {
      try {
        await conversions.stats(assetId, { token, beforeRequest: () => slot(place) });
        return "accepted";
      } catch (error) {
        if (!isSnapchatError(error)) return "unknown";
        return error.kind === "reauthorize" || error.kind === "fix_configuration" ? "refused" : "unknown";
      }
    },
  };
}
