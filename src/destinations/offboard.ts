import type { Context } from "./context.ts";
import { invalid } from "./failure.ts";
import type { SegmentsChoice, SegmentsReport } from "./interfaces.ts";
import { removeNow } from "./remove.ts";
import { everyDestination } from "./store.ts";
import type { StoredTenant } from "./tenant.ts";
import { auditTenant, changeTenant, readTenant, type TenantMutation } from "./tenants.ts";

/** What another room keeps of a tenant and removes when it leaves: logins, tombstones, receipts, keys. */
export interface TenantData {
  /** For the report: `connections`, `people`, … */
  name: string;
  /** Removes all of it. Safe to repeat. */
  purge(tenantId: string): Promise<void>;
}

/** Something that offboarding cannot take back. */
export interface Staying {
  code: string;
  message: string;
  fix: string;
}

/** What the removal of a tenant took away, and what stays elsewhere. */
export interface OffboardReport {
  tenantId: string;
  destinations: number;
  queuedItems: number;
  deadLetters: number;
  segments: SegmentsReport;
  /** Names of `TenantData` that were removed. */
  removed: string[];
  /** What stays at Snapchat or elsewhere, in a marketer's words. */
  stays: Staying[];
}

/** Choices of an offboarding. */
export interface OffboardOptions extends TenantMutation {
  /** What becomes of the segments at Snapchat. Default `keep`. */
  segments?: SegmentsChoice;
}

/**
 * Removes everything of a tenant but its audit trail (400 days) and this report. Cut off in the middle it is called
 * again and goes on; called when it is done it answers the same report.
 *
 * @throws {SnapchatError} `not_found`; what a peer throws leaves the tenant `offboarding`
 */
export async function offboardTenant(
  context: Context,
  tenantData: readonly TenantData[],
  tenantId: string,
  options: OffboardOptions = {},
): Promise<OffboardReport> {
  const segments = options.segments ?? "keep";
  if (segments !== "keep" && segments !== "empty" && segments !== "delete") {
    throw invalid(
      "segments_choice_invalid",
      "segments is keep, empty or delete.",
      "Say what becomes of the segments at Snapchat.",
    );
  }
  const done = (await readTenant(context, tenantId))?.tenant;
  if (done?.status === "offboarded" && done.report) return done.report as OffboardReport;

  const { before } = await changeTenant(context, tenantId, (tenant) => ({
    ...tenant,
    status: "offboarding",
    report: tenant.report ?? emptyReport(tenantId),
  }));
  if (before.status !== "offboarding")
    await auditTenant(context, tenantId, "tenant.offboarding", options, { segments });
  await context.reader.changed(tenantId);
  // Once for all destinations: from then on no process appends for this tenant.
  await context.clock.sleep(context.visibleAfterMs);

  for await (const { stored } of everyDestination(context.records, tenantId)) {
    // What stays is noted before the record that tells it is gone.
    await extendReport(context, tenantId, (report) => {
      if (stored.token) add(report, STAYS.token);
      if (stored.connectionId) add(report, STAYS.login);
      if (stored.pixelId) add(report, STAYS.pixelTag);
    });
    const removed = await removeNow(context, tenantId, stored.id, { ...options, segments });
    await extendReport(context, tenantId, (report) => {
      report.destinations++;
      report.queuedItems += removed.queuedItems;
      report.deadLetters += removed.deadLetters;
      report.segments = sum(report.segments, removed.segments);
      if (removed.segments.kept + removed.segments.failed.length > 0) add(report, STAYS.segments);
    });
  }
  for (const { name, purge } of tenantData) {
    await purge(tenantId);
    await extendReport(context, tenantId, (report) => {
      if (!report.removed.includes(name)) report.removed.push(name);
    });
  }
  const { tenant } = await changeTenant(context, tenantId, (tenant) => ({ ...tenant, status: "offboarded" }));
  const report = tenant.report as OffboardReport;
  await auditTenant(context, tenantId, "tenant.offboarded", options, { destinations: report.destinations, segments });
  await context.reader.changed(tenantId);
  return report;
}

const STAYS = {
  events: {
    code: "events_stay",
    message: "Events that Snapchat has counted stay in its reports.",
    fix: "Nothing to do; Snapchat offers no way to take single events back.",
  },
  segments: {
    code: "segments_stay",
    message: "Customer lists stay in Ads Manager with their members until their retention ends.",
    fix: "Delete them in Ads Manager under Audiences if they are not wanted.",
  },
  token: {
    code: "conversions_token_stays_valid",
    message: "The Conversions API token was removed here and still works at Snapchat.",
    fix: "Delete it in the Business Dashboard: Business Details, Conversions API Tokens.",
  },
  login: {
    code: "app_stays_authorized",
    message: "The sign-in was removed here; Snapchat still lists the app among those the person has allowed.",
    fix: "That person removes the app in their Snapchat account under connected apps.",
  },
  pixelTag: {
    code: "pixel_tag_stays",
    message: "The Snap Pixel on the web site goes on sending until its tag is taken out.",
    fix: "Take the pixel's tag out of the pages or the tag manager.",
  },
} as const satisfies Record<string, Staying>;

const emptyReport = (tenantId: string): OffboardReport => ({
  tenantId,
  destinations: 0,
  queuedItems: 0,
  deadLetters: 0,
  segments: { kept: 0, emptied: 0, deleted: 0, failed: [] },
  removed: [],
  stays: [STAYS.events],
});

async function extendReport(
  context: Context,
  tenantId: string,
  extend: (report: OffboardReport) => void,
): Promise<void> {
  await changeTenant(context, tenantId, (tenant: StoredTenant) => {
    const report = structuredClone((tenant.report as OffboardReport | undefined) ?? emptyReport(tenantId));
    extend(report);
    return { ...tenant, report };
  });
}

function add(report: OffboardReport, staying: Staying): void {
  if (!report.stays.some(({ code }) => code === staying.code)) report.stays.push(staying);
}

const sum = (a: SegmentsReport, b: SegmentsReport): SegmentsReport => ({
  kept: a.kept + b.kept,
  emptied: a.emptied + b.emptied,
  deleted: a.deleted + b.deleted,
  failed: [...a.failed, ...b.failed],
});
