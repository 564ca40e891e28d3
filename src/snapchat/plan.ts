import type { PrepareOptions } from "../capi/index.ts";
import type { ActiveDestination } from "../destinations/index.ts";
import { isSnapchatError } from "../errors.ts";
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
  /** Functions and operators of plugins that the workflow may name. */
  library: RouterOptions;
}

export interface PlanOptions {
  sources?: readonly Source[] | undefined;
  integration?: string | undefined;
  /** Functions and operators of plugins. */
  library?: RouterOptions | undefined;
}

export const ALL_IDENTIFIERS = ["email", "phone", "mobile_ad_id"] as const;

/** Why a destination cannot judge events: its receipts say so, and no other destination hears of it. */
export interface NoPlan {
  refused: "no_workflow" | "source_unknown" | "workflow_newer" | "workflow_invalid";
}

/** Compiles plans and keeps each as long as its destination is the same object, which it is while its version is. */
export function createPlans(options: PlanOptions): (destination: ActiveDestination) => Plan | NoPlan {
  const plans = new WeakMap<ActiveDestination, Plan | NoPlan>();
  const sources = new Map<string, Source>(Object.entries(knownSources));
  for (const source of options.sources ?? []) sources.set(source.name, source);

  function compile(destination: ActiveDestination): Plan | NoPlan {
    const workflow = destination.workflow as Workflow | undefined;
    if (!workflow) return { refused: "no_workflow" };
    const source = sources.get(workflow.source);
    if (!source) return { refused: "source_unknown" };
    const { settings } = destination;
    const router = routerOf(withKeyPaths(workflow, settings.audience?.keyPaths));
    if (typeof router === "string") return { refused: router };
    return {
      destination,
      source,
      router,
      prepare: {
        defaultCountry: settings.defaultCountry ?? presetCountry(workflow),
        integration: settings.integration ?? options.integration,
        testEventCode: settings.testEventCode,
        policy: settings.policy,
        limitedUse: settings.limitedUse,
        limitedUseSpelling: settings.limitedUseSpelling,
        attStatus: settings.attStatus,
        freeEventNames: settings.freeEventNames,
        stateCodes: settings.stateCodes,
        futureToleranceMs: settings.futureToleranceMs,
        allowFields: settings.allowFields,
        urlParameters: settings.urlParameters,
        ageLimitsMs: settings.ageLimits,
      },
      identifiers: settings.audience?.identifiers ?? ALL_IDENTIFIERS,
      library: options.library ?? {},
    };
  }

  /** A stored workflow may be newer than this process, or name a function of a plugin that is gone. */
  function routerOf(workflow: Workflow): Router | "workflow_newer" | "workflow_invalid" {
    try {
      return createRouter(workflow, options.library);
    } catch (error) {
      if (!isSnapchatError(error)) throw error;
      return error.code === "workflow_newer" ? error.code : "workflow_invalid";
    }
  }

  return (destination) => {
    let plan = plans.get(destination);
    if (plan === undefined) {
      plan = compile(destination);
      plans.set(destination, plan);
    }
    return plan;
  };
}

/** Where events name their segment, by the destination's settings before the workflow's. */
function withKeyPaths(workflow: Workflow, key: readonly string[] | undefined): Workflow {
  return key === undefined ? workflow : { ...workflow, audience: { ...workflow.audience, key: [...key] } };
}

/** A preset is made with the shop's country; a setting of the destination goes before it. */
function presetCountry(workflow: Workflow): string | undefined {
  const country = workflow.preset?.options.defaultCountry;
  return typeof country === "string" ? country : undefined;
}
