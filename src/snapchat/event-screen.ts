import type { Destination } from "../destinations/index.ts";
import type { Plugins } from "../plugins/index.ts";
import { type DestinationState, type EventRow, eventList, presetUpdate, type Workflow } from "../workflow/index.ts";
import type { EventActivity } from "./event-activity.ts";

/** The screen a marketer switches events on at. */
export interface EventScreen {
  /** Every row of the workflow, then the tenant's events that no row uses. */
  rows: EventRow[];
  /** Whether a newer preset than the workflow's exists; `migrateWorkflow` shows what it would change. */
  preset: { available: boolean; current?: number; latest?: number };
}

/** What a destination has, as far as its toggles depend on it. */
function stateOf(destination: Destination): DestinationState {
  const { connection, conversionsToken } = destination;
  return {
    serverSide: destination.serverSide,
    pixel: destination.pixelId !== undefined,
    mobileApp: destination.mobileAppId !== undefined,
    adAccount: destination.adAccountId !== undefined,
    conversionsToken: conversionsToken !== undefined && conversionsToken.status !== "refused",
    ...(connection ? { login: connection.status === "unreadable" ? "disconnected" : connection.status } : {}),
  };
}

/** Rows, what can be switched and why not, last seen and last delivered. A destination without a workflow has no rows. */
export async function eventScreen(
  destination: Destination,
  activity: EventActivity,
  { catalogue }: Pick<Plugins, "catalogue">,
): Promise<EventScreen> {
  const { tenantId, id: destinationId } = destination;
  const workflow = destination.workflow as Workflow | undefined;
  if (!workflow) return { rows: [], preset: { available: false } };
  const [seen, times, names] = await Promise.all([
    activity.seen.list(tenantId),
    activity.delivered.read(tenantId, destinationId),
    catalogue?.({ tenantId, destinationId }) ?? [],
  ]);
  const lastDeliveredMs: Record<string, number> = {};
  for (const { id, to } of workflow.rules) {
    const at = times[id] ?? times[to];
    if (at !== undefined) lastDeliveredMs[id] = at;
  }
  const rows = eventList({
    workflow,
    state: stateOf(destination),
    seen,
    catalogue: names.map(({ name }) => name),
    lastDeliveredMs,
  });
  const labels = new Map(names.flatMap(({ name, label }) => (label === undefined ? [] : [[name, label] as const])));
  for (const row of rows) if (row.origin === "catalogue") row.label = labels.get(row.event) ?? row.label;
  return { rows, preset: presetUpdate(workflow) };
}
