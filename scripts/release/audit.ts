/**
 * `npm run check:audit`: fails on a known high or critical vulnerability in what users install. A registry that does not
 * answer judges nothing: that is said, and is no failure.
 */
import { spawnSync } from "node:child_process";
import { ROOT } from "./bill.ts";

export interface Verdict {
  fails: boolean;
  says: string;
}

/** What `npm audit --json` printed, judged. */
export function verdict(printed: string): Verdict {
  const found = counts(printed);
  if (found === undefined) return { fails: false, says: "the registry's audit did not answer; nothing was judged" };
  const { high = 0, critical = 0, total = 0 } = found;
  return { fails: high + critical > 0, says: `${critical} critical, ${high} high, ${total} in all` };
}

function counts(printed: string): Record<string, number> | undefined {
  try {
    return JSON.parse(printed).metadata?.vulnerabilities;
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  const args = ["audit", "--omit=dev", "--json", "--package-lock-only", "--fetch-retries=0", "--fetch-timeout=20000"];
  const { stdout } = spawnSync("npm", args, { cwd: ROOT, encoding: "utf8" });
  const { fails, says } = verdict(stdout);
  console.log(`audit: ${says}`);
  if (fails) console.error("audit: npm audit --omit=dev names them");
  process.exitCode = fails ? 1 : 0;
}
