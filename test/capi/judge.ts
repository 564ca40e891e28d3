import { type Prepared, type PrepareOptions, prepareEvent } from "../../src/capi/index.ts";
import { judgeEvent } from "../../src/testing/simulator/conversions/judge.ts";
import { createVerdict } from "../../src/testing/simulator/conversions/verdict.ts";
import { DEFAULT_KNOBS } from "../../src/testing/simulator/knobs.ts";
import type { SnapEventInput } from "../../src/wire/event.ts";
import { CANARY } from "./corpus.ts";

const PIXEL = { id: "p", kind: "web", organizationId: "o", name: "p", status: "ACTIVE", createdAt: 0 } as const;
const APP = { ...PIXEL, kind: "app" } as const;
const ADDRESS = /[\w.+-]+(?:@|%40)[\w-]+\.[a-z]{2,}/i;

export interface Tally {
  prepared: number;
  refused: Record<string, number>;
  slowestMs: number;
  faults: string[];
}

export function createTally(): Tally {
  return { prepared: 0, refused: {}, slowestMs: 0, faults: [] };
}

/** Prepares an event and holds the result against everything that must never happen. */
export function check(event: unknown, options: PrepareOptions, tally: Tally, seed: number): void {
  const started = performance.now();
  let prepared: Prepared;
  try {
    prepared = prepareEvent(event as SnapEventInput, options);
  } catch (error) {
    tally.faults.push(`seed ${seed}: threw ${error}`);
    return;
  }
  tally.slowestMs = Math.max(tally.slowestMs, performance.now() - started);
  const issues = JSON.stringify(prepared.issues);
  if (leaks(issues)) tally.faults.push(`seed ${seed}: an issue shows a person`);
  if (!prepared.ok) {
    tally.refused[prepared.reason] = (tally.refused[prepared.reason] ?? 0) + 1;
    if (!prepared.issues.some(({ code }) => code === prepared.reason))
      tally.faults.push(`seed ${seed}: ${prepared.reason} without an issue`);
    if (prepared.reason === "event_not_prepared") tally.faults.push(`seed ${seed}: event_not_prepared`);
    return;
  }
  tally.prepared++;
  if (leaks(prepared.json)) tally.faults.push(`seed ${seed}: a person in plain: ${prepared.json}`);
  const parsed = JSON.parse(prepared.json) as Record<string, unknown>;
  const verdict = createVerdict();
  const asset = parsed.action_source === "MOBILE_APP" ? APP : PIXEL;
  judgeEvent(parsed, asset, options.nowMs, DEFAULT_KNOBS, verdict);
  if (verdict.errors.length > 0) {
    tally.faults.push(
      `seed ${seed}: Snapchat would refuse it: ${verdict.errors.map(({ why }) => why).join(", ")}: ${prepared.json.slice(0, 600)}`,
    );
  }
  if (JSON.stringify(parsed) !== prepared.json) tally.faults.push(`seed ${seed}: the text is not plain JSON`);
  const again = prepareEvent(event as SnapEventInput, { ...options, nowMs: options.nowMs + 1_000 });
  if (again.ok && again.json !== prepared.json) tally.faults.push(`seed ${seed}: the text depends on the moment`);
}

function leaks(text: string): boolean {
  const lower = text.toLowerCase();
  return (
    lower.includes(CANARY.em.toLowerCase()) ||
    lower.includes(CANARY.ph) ||
    lower.includes("447700900999") ||
    ADDRESS.test(text)
  );
}
