import { type CheckLine, ok, problem, warning } from "../../destinations/index.ts";
import type { LinkedSegment } from "../segments/status.ts";

/** Segments in `verify`: one line for each that a person should look at, one for all others. */
export function segmentLines(segments: readonly LinkedSegment[]): CheckLine[] {
  const lines: CheckLine[] = [];
  const fine = new Map<string, number>();
  for (const { name, state, words, advice, problem: refused } of segments) {
    const said = `${name}: ${words}`;
    if (state === "deleted") lines.push(problem("segment_deleted", said, advice ?? ""));
    else if (refused?.code === "identifiers_not_taken") {
      lines.push(warning("segment_not_all_taken", `${name}: ${refused.message} ${words}`, refused.fix));
    } else if (refused) {
      lines.push(
        problem("segment_refused", `${name}: Snapchat refused its last change. ${refused.message}`, refused.fix),
      );
    } else if (state === "too_small" || state === "paused" || state === "unknown") {
      lines.push(warning(`segment_${state}`, said, advice ?? "Look again later."));
    } else fine.set(state, (fine.get(state) ?? 0) + 1);
  }
  if (fine.size > 0) {
    const counts = [...fine].map(([state, count]) => `${count} ${WORDS[state] ?? state}`);
    lines.push(ok("segments", `Segments: ${counts.join(", ")}.`));
  }
  return lines;
}

const WORDS: Readonly<Record<string, string>> = {
  ready: "ready for campaigns",
  processing: "being matched by Snapchat",
  empty: "without anybody yet",
  not_made: "not made yet",
  stopped: "no longer kept in step",
};
