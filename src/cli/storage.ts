import { postgresSchema } from "../postgres/index.ts";
import { COMMON, COMMON_HELP, type Command, EXIT, readArguments, UsageError } from "./command.ts";
import { withHost } from "./host.ts";
import { painter } from "./screen.ts";

export const HELP = `Usage: snapchat-destination storage check|migrate|sql [options]

check    Settings of the engine that break a promise: eviction, lazy syncing, missing rights, clock skew.
migrate  Creates the tables, or brings them up to this version. Safe while other processes run.
sql      Prints the SQL that migrate would run on Postgres, for your own tool and role. Needs no configuration.

  --schema <name>          For sql: the schema. Default snapchat.

${COMMON_HELP}

Exit code 3: the check found a problem.
`;

/** `snapchat-destination storage`. */
export const run: Command = async (argv, io) => {
  const options = { ...COMMON, schema: { type: "string" } } as const;
  const { values, positionals } = readArguments(argv, options, ["check|migrate|sql"]);
  const [action] = positionals;
  if (action === "sql") {
    io.stdout.write(postgresSchema(values.schema === undefined ? {} : { schema: values.schema }));
    return EXIT.ok;
  }
  if (action !== "check" && action !== "migrate") {
    throw new UsageError(`"${action}" is none of check, migrate, sql.`);
  }
  return withHost(values, async ({ storage }) => {
    if (action === "migrate") {
      await storage.migrate();
      io.stdout.write(values.json ? "{}\n" : "The storage is up to date.\n");
      return EXIT.ok;
    }
    const findings = await storage.check();
    const paint = painter(io);
    const lines = findings.map(({ code, severity, message, fix }) => {
      const mark = severity === "problem" ? paint("red", "✗") : paint("yellow", "!");
      return `${mark} ${code}: ${message}\n  → ${fix}`;
    });
    const text = lines.length === 0 ? `${paint("green", "✓")} Nothing found.` : lines.join("\n");
    io.stdout.write(values.json ? `${JSON.stringify(findings)}\n` : `${text}\n`);
    return findings.some(({ severity }) => severity === "problem") ? EXIT.problem : EXIT.ok;
  });
};
