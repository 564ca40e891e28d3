import type { Source } from "../../rules/event.ts";
import { customerlabs } from "./customerlabs.ts";
import { rudderstack } from "./rudderstack.ts";
import { segment } from "./segment.ts";

export { clickIdOf } from "./click-id.ts";
export { defineSource, type SourceFields } from "./source.ts";
export { parseTime } from "./time.ts";

/** The built-in sources by name. */
export const sources: Readonly<Record<"customerlabs" | "segment" | "rudderstack", Source>> = {
  customerlabs,
  segment,
  rudderstack,
};
