import { PIXEL_PARAMETERS } from "../wire/pixel.ts";
import type { PixelParameterName } from "../wire/pixel-parameters.ts";

/** What is no field of an event and always leaves: id, the host's name, the limit on use. */
const ALWAYS: readonly PixelParameterName[] = ["client_dedup_id", "integration", "data_use"];

/**
 * A destination's allow-list in the pixel's names.
 *
 * @param allowFields paths as in the settings: `custom_data`, `custom_data.value`, … Absent: everything may leave.
 */
export function allowedParameters(allowFields: readonly string[] | undefined): PixelParameterName[] | undefined {
  if (!allowFields || allowFields.includes("custom_data")) return undefined;
  const fields = new Set(allowFields);
  const allowed = PIXEL_PARAMETERS.filter(([field]) => fields.has(`custom_data.${field}`)).map(([, name]) => name);
  if (fields.has("custom_data.contents")) allowed.push("item_ids");
  return [...new Set([...allowed, ...ALWAYS])].sort();
}
