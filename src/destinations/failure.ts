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

export function isStorageConflict(error: unknown): boolean {
  return typeof error === "object" && error !== null && (error as { code?: unknown }).code === "version_conflict";
}

/** Refuses what cannot be a tenant's id before it becomes part of a key. */
export function checkTenantId(tenantId: unknown): asserts tenantId is string {
  if (typeof tenantId === "string" && tenantId.length > 0 && tenantId.length <= 64 && isWellFormed(tenantId)) return;
  throw invalid(
    "tenant_id_invalid",
    "A tenant's id is a text of 1 to 64 characters.",
    "Pass your own stable id of the customer, as text.",
  );
}

/** An id that cannot exist is answered like one that does not. */
export function checkId(id: unknown, what: "destination" | "connection" = "destination"): asserts id is string {
  if (typeof id !== "string" || id.length === 0 || id.length > 128 || !isWellFormed(id)) throw notFound(what);
}

const isWellFormed = (text: string): boolean => {
  try {
    encodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
};
