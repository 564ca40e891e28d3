/**
 * `npm run check:changeset`: when the source changed since the last release, `.changeset/` says so to users, in files
 * that changesets can read.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { described, ROOT } from "./bill.ts";

/** The tree before the first commit: what a package that was never released is compared with. */
const NOTHING = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

const run = (command: string, args: readonly string[]): string =>
  execFileSync(command, args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

/** The tag of the version that `package.json` has, or {@link NOTHING} before the first release. */
export const releasedAs = (tags: readonly string[], version: string): string =>
  tags.find((tag) => tag === `v${version}`) ?? NOTHING;

/** The notes that wait for the next release. Throws on a file that changesets cannot read. */
function waiting(): number {
  const folder = mkdtempSync(join(tmpdir(), "changeset-"));
  try {
    const file = join(folder, "status.json");
    run("npx", ["--no-install", "changeset", "status", `--output=${file}`]);
    return (JSON.parse(readFileSync(file, "utf8")) as { changesets: unknown[] }).changesets.length;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const since = releasedAs(run("git", ["tag"]).split("\n"), described().version);
  const changed = run("git", ["diff", "--name-only", since, "--", "src"]).split("\n").filter(Boolean).length;
  const notes = waiting();
  const name = since === NOTHING ? "the beginning" : since;
  console.log(`changeset: ${changed} files of src changed since ${name}; ${notes} notes wait`);
  if (changed > 0 && notes === 0) {
    console.error("changeset: run npx changeset, and say what a user notices");
    process.exitCode = 1;
  }
}
