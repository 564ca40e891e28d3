/**
 * `npm run build`: the package in `dist`, with its declarations; `--fast` leaves them out. What is as the sources are stays
 * as it is. What is built is built aside and put in place whole, so that programs that run from `dist` at the same time find
 * every file of it.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What a folder was built from: kept in it, and not packed. */
interface Stamp {
  /** Digest of every file that the build reads. */
  inputs: string;
  types: boolean;
}

const STAMP = ".inputs.json";
const INPUTS = [
  "src",
  "scripts/pixel-script.ts",
  "tsup.config.ts",
  "tsconfig.json",
  "package.json",
  "package-lock.json",
];

/** One digest of the sources and of what they are built with. */
export function digestOfInputs(root: string, inputs: readonly string[] = INPUTS): string {
  const digest = createHash("sha256");
  for (const path of inputs.flatMap((input) => filesOf(root, input))) {
    digest
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update("\0");
  }
  return digest.digest("hex");
}

function filesOf(root: string, path: string): string[] {
  const found = statSync(join(root, path), { throwIfNoEntry: false });
  if (!found) return [];
  if (!found.isDirectory()) return [path];
  const names = readdirSync(join(root, path)).toSorted();
  return names.flatMap((name) => filesOf(root, `${path}/${name}`));
}

/** Whether a folder holds what would be built. One with declarations will do where none are asked for. */
export function isFresh(folder: string, wanted: Stamp): boolean {
  try {
    const { inputs, types } = JSON.parse(readFileSync(join(folder, STAMP), "utf8")) as Stamp;
    return inputs === wanted.inputs && (types || !wanted.types);
  } catch {
    return false;
  }
}

export function stamp(folder: string, made: Stamp): void {
  writeFileSync(join(folder, STAMP), `${JSON.stringify(made)}\n`);
}

/** `next` in the place of `folder`. Where another process has put the same there meanwhile, its own stays. */
export function putInPlace(next: string, folder: string, made: Stamp): void {
  const old = `${next}-old`;
  if (!isFresh(folder, made)) {
    if (existsSync(folder)) renameSync(folder, old);
    try {
      renameSync(next, folder);
    } catch (error) {
      if (!isFresh(folder, made)) throw error;
    }
  }
  for (const left of [next, old]) rmSync(left, { recursive: true, force: true, maxRetries: 3 });
}

function build(types: boolean): void {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const folder = join(root, "dist");
  const made: Stamp = { inputs: digestOfInputs(root), types };
  if (isFresh(folder, made)) return;
  // Beside `dist`, not below it: the source maps hold relative paths.
  const name = `dist.next-${process.pid}`;
  const next = join(root, name);
  try {
    execFileSync(process.execPath, [join(root, "node_modules/.bin/tsup"), "--silent"], {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, BUILD_INTO: name, BUILD_TYPES: types ? "1" : "0" },
    });
    stamp(next, made);
    putInPlace(next, folder, made);
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
}

if (import.meta.main) build(!process.argv.includes("--fast"));
