import type { Core } from "../core.ts";
import { type Incoming, type Outgoing, text } from "../message.ts";

/** The pixel script's host and the endpoints it reports to. */
export function createPixel(_core: Core, _sleep: (ms: number) => Promise<void>) {
  return {
    handle: (_incoming: Incoming): Outgoing => text(404, "Not Found"),
  };
}
