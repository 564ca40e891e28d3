import { digestOf } from "../rules/digest.ts";
import { foldName } from "../rules/fold.ts";
import type { Rule, Workflow } from "../rules/workflow.ts";
import { PRESET_PARTS, PRESET_VERSION, type PresetName, presetAgain, presets, ruleDigest } from "./presets/index.ts";

/** One difference between a stored workflow and the preset of today. */
export interface WorkflowChange {
  /** Rule id, or the workflow's part: `workflow.map`, `workflow.user`, `workflow.aliases`. */
  what: string;
  /**
   * `added`: a new row, its toggles off; `updated`: the preset's row in place of an untouched one, toggles and consent
   * kept; `kept`: edited by the host or the marketer, so the preset's change is not taken over; `removed`: the preset
   * has dropped it and it was off; `retired`: the preset has dropped it, and it stays because it is on.
   */
  change: "added" | "updated" | "kept" | "removed" | "retired";
}

/** The outcome of {@link migrateWorkflow}: a proposal, until it is saved. */
export interface Migration {
  workflow: Workflow;
  from: number | undefined;
  to: number | undefined;
  changes: WorkflowChange[];
}

/**
 * Whether a newer preset than the workflow's own exists: what a destination tells its owner.
 *
 * @example
 * ```ts
 * import { migrateWorkflow, presetUpdate, type Workflow } from "snapchat-destination/workflow";
 *
 * export const proposal = (stored: Workflow) =>
 *   presetUpdate(stored).available ? migrateWorkflow(stored).changes : [];
 * ```
 */
export function presetUpdate(workflow: Workflow): { available: boolean; current?: number; latest?: number } {
  const preset = workflow.preset;
  if (!preset || !Object.hasOwn(presets, preset.name)) return { available: false };
  return { available: preset.version < PRESET_VERSION, current: preset.version, latest: PRESET_VERSION };
}

/**
 * Moves a stored workflow to a newer preset and shows the difference. Rows nobody has edited become the preset's, rows
 * that were edited stay; toggles and consents always stay. Pure: the workflow given stays as it is.
 *
 * @param to the preset to move to; absent, today's preset of the workflow's own name, made with its own options.
 *
 * @example
 * ```ts
 * import { migrateWorkflow, presets } from "snapchat-destination/workflow";
 *
 * const { workflow, changes } = migrateWorkflow(presets.segment({ defaultCountry: "GB" }));
 * ```
 */
export function migrateWorkflow(workflow: Workflow, to: Workflow | undefined = presetOf(workflow)): Migration {
  const from = workflow.preset?.version;
  const born = workflow.preset?.born;
  if (!to?.preset || !born) return { workflow, from, to: from, changes: [] };
  const changes: WorkflowChange[] = [];
  const merged = {
    ...workflow,
    preset: { ...to.preset, options: workflow.preset?.options ?? {} },
    rules: mergeRules(workflow.rules, to.rules, born, changes),
  };
  for (const part of PRESET_PARTS) {
    const newer = to[part];
    if (newer === undefined || digestOf(newer) === digestOf(workflow[part])) continue;
    const untouched = born[`workflow.${part}`] === digestOf(workflow[part]);
    if (untouched) Object.assign(merged, { [part]: newer });
    changes.push({ what: `workflow.${part}`, change: untouched ? "updated" : "kept" });
  }
  return { workflow: merged, from, to: to.preset.version, changes };
}

function presetOf({ preset }: Workflow): Workflow | undefined {
  if (!preset || !Object.hasOwn(presets, preset.name)) return undefined;
  return presetAgain(preset.name as PresetName, preset.options);
}

function mergeRules(
  current: readonly Rule[],
  newer: readonly Rule[],
  born: Readonly<Record<string, string>>,
  changes: WorkflowChange[],
): Rule[] {
  const rules: Rule[] = [];
  const say = (what: string, change: WorkflowChange["change"]) => changes.push({ what, change });
  const byId = new Map(newer.map((rule) => [rule.id, rule]));
  for (const rule of current) {
    const next = byId.get(rule.id);
    byId.delete(rule.id);
    const untouched = born[rule.id] === ruleDigest(rule);
    if (!next) {
      const dropped = untouched && !rule.server && !rule.client;
      if (dropped) say(rule.id, "removed");
      else rules.push(rule);
      if (untouched && !dropped) say(rule.id, "retired");
      continue;
    }
    if (ruleDigest(next) === ruleDigest(rule)) rules.push(rule);
    else if (untouched) {
      const { consent: _, ...content } = next;
      rules.push({
        ...content,
        server: rule.server,
        client: rule.client,
        ...(rule.consent ? { consent: rule.consent } : {}),
      });
      say(rule.id, "updated");
    } else {
      rules.push(rule);
      say(rule.id, "kept");
    }
  }
  for (const rule of byId.values()) {
    // A rule of the host's own may already do what the new row does; two of them would count twice.
    const taken = rules.some((own) => foldName(own.on) === foldName(rule.on) && own.to === rule.to);
    if (!taken) rules.push({ ...rule, server: false, client: false });
    say(rule.id, taken ? "kept" : "added");
  }
  return rules;
}
