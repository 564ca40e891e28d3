import type { Knobs } from "../knobs.ts";
import type { SourceKind } from "./names.ts";
import { ERRORS, type Problem, WARNINGS } from "./problems.ts";

/** What was found in one event. One object serves a whole batch: read it before the next event is judged. */
export interface Verdict {
  errors: Problem[];
  warnings: Problem[];
  /** Upper-case, as it is counted. */
  name: string;
  eventId: string | undefined;
  /** Milliseconds; `NaN` where there is none. */
  timeMs: number;
  source: SourceKind | undefined;
  orderId: string | undefined;
  /** The event itself asks not to be counted. */
  test: boolean;
}

export function createVerdict(): Verdict {
  return {
    errors: [],
    warnings: [],
    name: "",
    eventId: undefined,
    timeMs: Number.NaN,
    source: undefined,
    orderId: undefined,
    test: false,
  };
}

/** Names of fields that nobody documents, as the knob says. */
export function judgeKeys(
  object: Record<string, unknown>,
  known: ReadonlySet<string>,
  knobs: Knobs,
  verdict: Verdict,
): void {
  if (knobs.unknownKeys === "ignore") return;
  for (const key in object) {
    if (known.has(key)) continue;
    if (knobs.unknownKeys === "reject") verdict.errors.push(ERRORS.unknownKey);
    else verdict.warnings.push(WARNINGS.unknownKey);
  }
}
