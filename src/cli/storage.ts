import { COMMON, COMMON_HELP, type Command, EXIT, readArguments, UsageError } from "./command.ts";
import { withHost } from "./host.ts";
import { painter } from "./screen.ts";

export const HELP = `Usage: snapchat-destination storage check|migrate [options]

check    Settings of the engine that break a promise: eviction, lazy syncing, missing rights, clock skew.
migrate  Creates the tables, or brings them up to this version. Safe while other processes run.

${COMMON_HELP}

Exit code 3: the check found a problem.
`;

/** `snapchat-destination storage`. */
export const run: Command = async (argv, io) => {
  const { values, positionals } = readArguments(argv, COMMON, ["check|migrate"]);
  const [action] = positionals;
  if (action !== "check" && action !== "migrate") throw new UsageError(`"${action}" is none of check, migrate.`);
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
