import { type ErrorDetails, SnapchatError } from "../errors.ts";

const WHERE = {
  destination: "Take the id from destinations.list().",
  connection: "Take the id from the destination, or connect again.",
  tenant: "Take the id from tenants.list(); a tenant begins with its first destination.",
} as const;

/** The same answer for an id that does not exist and one of another tenant: it never reveals which. */
export function notFound(what: keyof typeof WHERE): SnapchatError {
  return new SnapchatError({
    code: "not_found",
    kind: "fix_configuration",
    message: what === "tenant" ? "There is no tenant with that id." : `This tenant has no ${what} with that id.`,
    fix: WHERE[what],
    details: { what },
  });
}

export function versionConflict(): SnapchatError {
  return new SnapchatError({
    code: "version_conflict",
    kind: "fix_configuration",
    message: "Someone else changed this destination since it was read.",
    fix: "Read the destination again, show the new state, and repeat the change with its version.",
  });
}

export function invalid(code: string, message: string, fix: string, details?: ErrorDetails): SnapchatError {
  return new SnapchatError({ code, kind: "fix_configuration", message, fix, ...(details ? { details } : {}) });
}

/** A key that nothing reads: named where it can be a field's name misspelt. */
export function fieldUnknown(field: string, fix: string): SnapchatError {
  const named = /^[\w.-]{1,40}$/.test(field);
  return invalid(
    "field_unknown",
    named ? `A destination has no field \`${field}\`.` : "A destination has no field of that name.",
    fix,
    named ? { field } : {},
  );
}

export function isStorageConflict(error: unknown): boolean {
  return typeof error === "object" && error !== null && (error as { code?: unknown }).code === "version_conflict";
}

/** An id becomes part of group and credential names, which an engine takes up to 200 bytes of. */
const MAX_ESCAPED = 90;

/** Refuses what cannot be a tenant's id before it becomes part of a key. */
export function checkTenantId(tenantId: unknown): asserts tenantId is string {
  if (fits(tenantId)) return;
  throw invalid(
    "tenant_id_invalid",
    `A tenant's id is a text of 1 to ${MAX_ESCAPED} characters, counted as escaped for a URL.`,
    "Pass your own stable id of the customer, as text.",
  );
}

/** An id that cannot exist is answered like one that does not. */
export function checkId(id: unknown, what: "destination" | "connection" = "destination"): asserts id is string {
  if (!fits(id)) throw notFound(what);
}

function fits(id: unknown): id is string {
  if (typeof id !== "string" || id.length === 0) return false;
  try {
    return encodeURIComponent(id).length <= MAX_ESCAPED;
  } catch {
    return false;
  }
}
