/**
 * `npm run check:changeset`: when the source changed since the last version, `.changeset/` says so to users, in files
 * that changesets can read.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { described, ROOT } from "./bill.ts";

/** The tree before the first commit: what a package that was never released is compared with. */
const NOTHING = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

const run = (command: string, args: readonly string[]): string =>
  execFileSync(command, args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

/** The commit that gave the package its version, by tag or not yet; {@link NOTHING} before the first release. */
const releasedBy = (version: string): string =>
  version === "0.0.0"
    ? NOTHING
    : run("git", ["log", "-1", "--format=%H", '-G^  "version":', "--", "package.json"]).trim();

/** What is wrong with so many changed files and waiting notes, if anything. */
export function complaint(changed: number, notes: number, unreadable: readonly string[]): string | undefined {
  if (unreadable.length > 0) return `changesets cannot read ${unreadable.join(", ")}`;
  return changed > 0 && notes === 0 ? "run npx changeset, and say what a user notices" : undefined;
}

/** A note as `npx changeset` writes it: what it raises, or nothing, and what a user reads. */
export const readable = (note: string, name: string): boolean =>
  new RegExp(`^---\\n(?:"${name}": (?:major|minor|patch)\\n)?---\\n\\s*\\S`).test(note);

if (import.meta.main) {
  const { name, version } = described();
  const changed = run("git", ["diff", "--name-only", releasedBy(version), "--", "src"])
    .split("\n")
    .filter(Boolean).length;
  const notes = readdirSync(`${ROOT}/.changeset`).filter((file) => file.endsWith(".md") && file !== "README.md");
  const unreadable = notes.filter((file) => !readable(readFileSync(`${ROOT}/.changeset/${file}`, "utf8"), name));
  console.log(`changeset: ${changed} files of src changed since ${version}; ${notes.length} notes wait`);
  const wrong = complaint(changed, notes.length, unreadable);
  if (wrong !== undefined) console.error(`changeset: ${wrong}`);
  process.exitCode = wrong === undefined ? 0 : 1;
}
