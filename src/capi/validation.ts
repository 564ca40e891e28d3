import type { Issue } from "../wire/event.ts";
import { logsOf, positionsOf } from "./answer.ts";
import { failureOf } from "./failures.ts";
import { isRecord } from "./field-names.ts";
import type { Exchanged } from "./transport.ts";
import { saidOf } from "./words.ts";

/** What we and Snapchat say about one event; nothing is counted. */
export interface Validation {
  /** Our own findings; those that reject an event keep it from being asked about. */
  issues: Issue[];
  /** Whether Snapchat was asked. */
  sent: boolean;
  snapchat: SnapchatVerdict | undefined;
}

/** What Snapchat's validate endpoint says of one event. */
export interface SnapchatVerdict {
  valid: boolean;
  /** Snapchat's words, redacted. */
  message: string | undefined;
  code: string | undefined;
  warnings: string[];
}

/** The verdict on each of `count` events of one validate request. */
export function readValidation(exchanged: Exchanged, count: number, assetId: string): SnapchatVerdict[] {
  const { verdict } = exchanged;
  const body = exchanged.response?.json;
  if (verdict.kind !== "valid" && verdict.kind !== "invalid") throw failureOf(verdict, "validate");
  const logs = logsOf(isRecord(body) ? body : undefined, saidOf(exchanged.response, assetId));
  const bad = verdict.kind === "invalid" ? positionsOf(logs, count) : new Map<number, never>();
  // A refusal that names nobody is about each of them: better one false alarm than one missed.
  const nobody = verdict.kind === "invalid" && bad.size === 0;
  const base = logs.named.some((event) => event.number === 0) ? 0 : 1;
  const warnings = new Map(logs.named.map((event) => [event.number - base, event.warnings]));
  return Array.from({ length: count }, (_, position) => {
    const named = bad.get(position);
    const valid = named === undefined && !nobody;
    const words = verdict.kind === "invalid" ? verdict : undefined;
    return {
      valid,
      message: valid ? undefined : named?.message || words?.message,
      code: valid ? undefined : named?.code || words?.code,
      warnings: warnings.get(position) ?? [],
    };
  });
}
