import { type Omitted, omit } from "./reason.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ZEROS = /^[0-]+$/;

/** IDFA, AAID and IDFV: lower case with hyphens. All zeros is what a device says instead of an id. */
export function normalizeDeviceId(text: string): string | Omitted {
  const id = text.toLowerCase();
  if (ZEROS.test(id)) return omit("all_zero_id");
  return UUID.test(id) ? id : omit("not_a_device_id");
}
