import type { Draft } from "./draft.ts";
import type { Row } from "./field-names.ts";
import { fieldText } from "./field-values.ts";

/** User agents kept with their JSON: thousands of events share one, and it is the longest text of an event. */
const MOST = 1_000;
const LONGEST = 400;

const kept = new Map<string, string>();

export function agentText(agent: string, row: Row, draft: Draft): string | undefined {
  const known = kept.get(agent);
  if (known !== undefined) return known;
  const text = fieldText(row, agent, draft);
  if (text !== undefined && agent.length <= LONGEST) {
    if (kept.size >= MOST) kept.clear();
    kept.set(agent, text);
  }
  return text;
}
