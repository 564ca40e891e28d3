import type { Page, Records } from "../storage/ports.ts";
import { decode, encode } from "./codec.ts";
import { keys } from "./keys.ts";
import { type Ulid, ulidTime } from "./ulid.ts";

/** One change, who made it and to what. It holds ids and names of settings, never values of secrets or people. */
export interface AuditLine {
  /** A ULID: sorts by time. */
  id: string;
  /** ISO 8601. */
  at: string;
  tenantId: string;
  /** As the host gave it; `"host"` where it gave none. Use an id of yours, not a mail address. */
  actor: string;
  /** `destination.updated`, `tenant.suspended`, … */
  action: string;
  destinationId?: string;
  detail: Record<string, string | number | boolean>;
}

/** Which lines of the audit trail; all of it is optional. */
export interface AuditQuery {
  destinationId?: string;
  /** Only lines of this time and later; ISO 8601 or milliseconds since 1970. */
  since?: string | number;
  /** The `after` of the page before. */
  after?: string;
  /** Default 100, at most 1,000. */
  limit?: number;
}

export interface Audit {
  /** A line for something that another room did. */
  record(entry: Omit<AuditLine, "id" | "at">): Promise<void>;
  /** Stores a line under its own id; safe to repeat. */
  write(line: AuditLine): Promise<void>;
  /** Oldest first. */
  list(tenantId: string, query?: AuditQuery): Promise<Page<AuditLine>>;
  /** Every line as NDJSON, one text per line, with its line feed. */
  export(tenantId: string, query?: Pick<AuditQuery, "destinationId" | "since">): AsyncIterable<string>;
}

/** Audit lines are kept this long. Milliseconds. */
export const AUDIT_TTL_MS = 400 * 86_400_000;

export function createAudit({
  records,
  ulid,
  onAudit,
}: {
  records: Records;
  ulid: Ulid;
  onAudit?: ((line: AuditLine) => void) | undefined;
}): Audit {
  async function write(line: AuditLine): Promise<void> {
    await records.put(keys.audit(line.tenantId, line.id), encode(line), { ttlMs: AUDIT_TTL_MS });
    try {
      onAudit?.(line);
    } catch {
      // A sink that fails must not fail the change that it hears of.
    }
  }

  async function list(tenantId: string, query: AuditQuery = {}): Promise<Page<AuditLine>> {
    const limit = Math.min(Math.max(1, query.limit ?? 100), 1_000);
    const items: AuditLine[] = [];
    let after = startOf(tenantId, query);
    for (;;) {
      const page = await records.list(keys.audits(tenantId), { ...(after ? { after } : {}), limit });
      for (const record of page) {
        const line = decode<AuditLine>(record.value);
        if (query.destinationId !== undefined && line.destinationId !== query.destinationId) continue;
        items.push(line);
        if (items.length === limit) return { items, after: line.id };
      }
      after = page.at(-1)?.key;
      if (page.length < limit || after === undefined) return { items };
    }
  }

  async function* exportLines(tenantId: string, query: Pick<AuditQuery, "destinationId" | "since"> = {}) {
    let after: string | undefined;
    do {
      const page: Page<AuditLine> = await list(tenantId, { ...query, limit: 500, ...(after ? { after } : {}) });
      for (const line of page.items) yield `${JSON.stringify(line)}\n`;
      after = page.after;
    } while (after !== undefined);
  }

  return {
    write,
    async record(entry) {
      const now = await records.now();
      await write({ ...entry, id: ulid(now), at: new Date(now).toISOString() });
    },
    list,
    export: exportLines,
  };
}

function startOf(tenantId: string, query: AuditQuery): string | undefined {
  if (query.after !== undefined) return keys.audit(tenantId, query.after);
  if (query.since === undefined) return undefined;
  const since = typeof query.since === "number" ? query.since : Date.parse(query.since);
  return Number.isFinite(since) ? keys.audit(tenantId, ulidTime(since)) : undefined;
}
