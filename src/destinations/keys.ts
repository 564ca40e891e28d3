const part = encodeURIComponent;

/** Record keys of this room. Every part is escaped, so that no id reaches into another tenant's keys. */
export const keys = {
  tenants: "tenant/",
  tenant: (t: string) => `tenant/${part(t)}`,
  destinations: (t: string) => `destination/${part(t)}/`,
  destination: (t: string, d: string) => `destination/${part(t)}/${part(d)}`,
  /** Whose a destination's id is. */
  owner: (d: string) => `owner/${part(d)}`,
  conversionsToken: (t: string, d: string) => `secret/${part(t)}/${part(d)}/conversions_token`,
  /** Its version tells caches whether anything of a tenant changed. */
  stamp: (t: string) => `stamp/${part(t)}`,
  stamps: "stamp/",
  audit: (t: string, id: string) => `audit/${part(t)}/${id}`,
  audits: (t: string) => `audit/${part(t)}/`,
  /** A mutation on its way: present from before its write until its effects are done. */
  pending: (t: string, d: string, operation: string) => `pending/${part(t)}/${part(d)}/${operation}`,
  pendings: "pending/",
  pendingsOf: (t: string, d: string) => `pending/${part(t)}/${part(d)}/`,
  recheck: (t: string, d: string) => `recheck/${part(t)}/${part(d)}`,
  rechecks: "recheck/",
} as const;

/** The tenant and destination of a key that was made above. */
export function idsOf(key: string): { tenantId: string; destinationId: string } {
  const [, tenant = "", destination = ""] = key.split("/");
  return { tenantId: decodeURIComponent(tenant), destinationId: decodeURIComponent(destination) };
}

/** Associated data of a sealed Conversions token. */
export function tokenAad(tenantId: string, destinationId: string): string {
  return `${part(tenantId)}/${part(destinationId)}/conversions_token`;
}

/** The group of one asset's events. */
export const eventsGroup = (assetId: string): string => `events/${assetId}`;
/** The credential of the n-th Conversions token of a destination. */
export const tokenCredential = (t: string, d: string, n: number): string => `conversions/${part(t)}/${part(d)}/${n}`;
/** The credential of a login. */
export const loginCredential = (t: string, connectionId: string): string => `oauth/${part(t)}/${part(connectionId)}`;
