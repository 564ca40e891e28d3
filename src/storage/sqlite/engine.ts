import { SnapchatError } from "../../errors.ts";

type Engine = typeof import("node:sqlite");
type Load = (name: "node:sqlite") => Engine | undefined;

/**
 * SQLite as this runtime has it. Looked up when it is needed, so that where there is none the reason is said in our words.
 *
 * @throws {SnapchatError} `sqlite_missing` (fix_configuration)
 */
export function engine(load: Load | null = process.getBuiltinModule ?? null): Engine {
  const found = load?.("node:sqlite");
  if (found) return found;
  throw new SnapchatError({
    code: "sqlite_missing",
    kind: "fix_configuration",
    message: `This runtime (Node ${process.versions.node}) has no node:sqlite.`,
    fix: "Run Node 22.18 or later, or use another storage: postgres, redis, or five functions of your own.",
    details: { node: process.versions.node },
  });
}
