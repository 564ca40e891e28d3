/**
 * - `active`: works.
 * - `suspended`: nothing is taken in and nothing leaves; everything is kept.
 * - `offboarding`: everything is being removed.
 * - `offboarded`: everything was removed; what stays is the report and the audit trail.
 */
export type TenantStatus = "active" | "suspended" | "offboarding" | "offboarded";

export interface StoredTenant {
  id: string;
  status: TenantStatus;
  /** ISO 8601. */
  createdAt: string;
  /** ISO 8601; of the last change of status. */
  changedAt: string;
  /** The report of an offboarding, as far as it has come. */
  report?: unknown;
}
