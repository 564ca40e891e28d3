import type { FetchLike, Plugin } from "./hooks.ts";

/** The plugins' `fetch` hooks around each other, the first outermost, the runtime's or the host's own inside. */
export function chainedFetch(plugins: readonly Plugin[], innermost: FetchLike): FetchLike {
  return plugins.reduceRight<FetchLike>(
    (next, plugin) => async (request) => {
      const response: unknown = await plugin.fetch?.(request, next);
      // What is no answer is a fault of the network: the HTTP client says so, without a word of the plugin's.
      if (!(response instanceof Response)) throw new TypeError("A plugin answered a request with something else.");
      return response;
    },
    innermost,
  );
}
