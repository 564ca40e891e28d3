import { isEventName } from "../wire/event-names.ts";
import type { Workflow } from "../workflow/index.ts";

/** How many rules are switched on, by way: for preflight. */
export function toggleCounts(workflow: unknown): { server: number; client: number; audience: number } {
  const counts = { server: 0, client: 0, audience: 0 };
  for (const { to, server, client } of (workflow as Workflow | undefined)?.rules ?? []) {
    if (to.startsWith("segment:")) counts.audience += server ? 1 : 0;
    else {
      counts.server += server ? 1 : 0;
      counts.client += client ? 1 : 0;
    }
  }
  return counts;
}

/** Rules that are on and send under a name that Snapchat does not have: for preflight. */
export function ownNames(workflow: unknown): { rule: string; name: string }[] {
  return ((workflow as Workflow | undefined)?.rules ?? [])
    .filter(({ to, server, client }) => (server || client) && !to.startsWith("segment:") && !isEventName(to))
    .map(({ id, to }) => ({ rule: id, name: to }));
}
