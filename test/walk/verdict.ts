import type { Sighting } from "./ear.ts";
import { LET_OUT } from "./let-out.ts";

/**
 * Fails a test file whose library let out a secret or a direct identifier, unless the list says that it means to.
 *
 * @throws {Error} with sink, place and canary of each; never with the text
 */
export function verdict(file: string, seen: readonly Sighting[]): void {
  const allowed = LET_OUT[file] ?? [];
  const leaks = seen.filter(
    ({ kind, sink }) => (kind === "secret" || kind === "direct") && !allowed.some((one) => one.sinks.includes(sink)),
  );
  if (leaks.length === 0) return;
  const lines = leaks.slice(0, 20).map(({ sink, where, kind, canary }) => `  ${kind} in ${sink} (${where}): ${canary}`);
  throw new Error(`The walk saw in ${file}:\n${lines.join("\n")}\n${leaks.length} in all; see test/walk/let-out.ts.`);
}
