import { isPlaceholder } from "./placeholder.ts";
import { type Omitted, omit } from "./reason.ts";
import { lowerComposed } from "./text.ts";

const NIL_UUID = "00000000-0000-0000-0000-000000000000";

/** The host's own id of a person: lower case, otherwise as it is. The Pixel's side must be given the same text. */
export function normalizeExternalId(text: string): string | Omitted {
  const id = lowerComposed(text);
  if (id === NIL_UUID) return omit("all_zero_id");
  return isPlaceholder(id) || id === "nan" ? omit("placeholder") : id;
}
