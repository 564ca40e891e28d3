import { SnapchatError } from "../errors.ts";

export function notOurDatabase(message: string): SnapchatError {
  return new SnapchatError({
    code: "not_our_database",
    kind: "fix_configuration",
    message,
    fix: "Give the storage a file or a schema of its own; this one was left untouched.",
  });
}

export function schemaTooNew(found: number, known: number): SnapchatError {
  return new SnapchatError({
    code: "schema_too_new",
    kind: "fix_configuration",
    message: `The database has schema ${found}; this version of the package knows ${known}.`,
    fix: "Update the package, or restore the backup made before the newer version.",
    details: { found, known },
  });
}
