/** Who is signed in at the CDP, and for which of its customers. */
export interface Session {
  tenantId: string;
  /** An id, not a mail address: it stands in the audit trail. */
  userId: string;
}

/** Yours reads its own session cookie (`HttpOnly; Secure; SameSite=Lax`). Here everybody is Acme's marketer. */
export function sessionOf(_request: Request): Session {
  return { tenantId: "acme", userId: "user-17" };
}
