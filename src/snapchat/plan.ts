import type { PrepareOptions } from "../capi/index.ts";
import type { ActiveDestination } from "../destinations/index.ts";
import type { Router, Source } from "../rules/event.ts";
import { createRouter, sources as knownSources, type RouterOptions, type Workflow } from "../workflow/index.ts";

/** A destination made ready for the hot path: compiled once per version of its record. */
export interface Plan {
  destination: ActiveDestination;
  source: Source;
  router: Router;
  /** Everything `prepareEvent` needs besides the times of the call. */
  prepare: Omit<PrepareOptions, "nowMs" | "receivedAtMs">;
  identifiers: readonly ("email" | "phone" | "mobile_ad_id")[];
}

export interface PlanOptions {
  sources?: readonly Source[] | undefined;
  integration?: string | undefined;
  /** Functions and operators of plugins. */
  library?: RouterOptions | undefined;
}

const ALL_IDENTIFIERS = ["email", "phone", "mobile_ad_id"] as const;

/** Compiles plans and keeps each as long as its destination is the same object, which it is while its version is. */
export function createPlans(options: PlanOptions): (destination: ActiveDestination) => Plan | undefined {
  const plans = new WeakMap<ActiveDestination, Plan | null>();
  const sources = new Map<string, Source>(Object.entries(knownSources));
  for (const source of options.sources ?? []) sources.set(source.name, source);

  function compile(destination: ActiveDestination): Plan | null {
    const workflow = destination.workflow as Workflow | undefined;
    const source = workflow && sources.get(workflow.source);
    if (!workflow || !source) return null;
    const { settings } = destination;
    return {
      destination,
      source,
      router: createRouter(workflow, options.library),
      prepare: {
        defaultCountry: settings.defaultCountry ?? presetCountry(workflow),
        integration: settings.integration ?? options.integration,
        testEventCode: settings.testEventCode,
        policy: settings.policy,
        limitedUse: settings.limitedUse,
        allowFields: settings.allowFields,
        urlParameters: settings.urlParameters,
        ageLimitsMs: settings.ageLimits,
      },
      identifiers: settings.audience?.identifiers ?? ALL_IDENTIFIERS,
    };
  }

  return (destination) => {
    let plan = plans.get(destination);
    if (plan === undefined) {
      plan = compile(destination);
      plans.set(destination, plan);
    }
    return plan ?? undefined;
  };
}

/** A preset is made with the shop's country; a setting of the destination goes before it. */
function presetCountry(workflow: Workflow): string | undefined {
  const country = workflow.preset?.options.defaultCountry;
  return typeof country === "string" ? country : undefined;
}
