import { COMMON, COMMON_HELP, type Command, EXIT, readArguments, UsageError } from "./command.ts";
import { withHost } from "./host.ts";
import { columns, liveLine } from "./screen.ts";

export const HELP = `Usage: snapchat-destination keys rotate|in-use [options]

rotate   Seals every stored secret again with the newest key. First run all processes with it in front of the list.
in-use   Which keys are still needed, and which may leave the list.

${COMMON_HELP}

Exit code 3: some records could not be sealed again.
`;

/** `snapchat-destination keys`. */
export const run: Command = async (argv, io) => {
  const { values, positionals } = readArguments(argv, COMMON, ["rotate|in-use"]);
  const [action] = positionals;
  if (action !== "rotate" && action !== "in-use") throw new UsageError(`"${action}" is none of rotate, in-use.`);
  return withHost(values, async ({ keys }) => {
    if (action === "in-use") {
      const uses = await keys.inUse();
      const rows = uses.map(({ keyId, sealing, records, payloads, mayGo }) => [
        keyId,
        sealing ? "seals" : "opens",
        String(records),
        payloads ? "yes" : "no",
        mayGo ? "may go" : "needed",
      ]);
      const table = columns([["key", "does", "records", "payloads", ""], ...rows]);
      io.stdout.write(values.json ? `${JSON.stringify(uses)}\n` : `${table}\n`);
      return EXIT.ok;
    }
    const line = liveLine(io);
    const report = await keys.rotate({
      onProgress: ({ records }) => line.show(`${records} records`),
      ...(io.signal ? { signal: io.signal } : {}),
    });
    line.end();
    const failed = report.failed > 0 ? ` ${report.failed} could not be opened: ${JSON.stringify(report.errors)}.` : "";
    const text = `Sealed ${report.resealed} of ${report.records} records again.${failed}`;
    io.stdout.write(values.json ? `${JSON.stringify(report)}\n` : `${text}\n`);
    return report.failed > 0 ? EXIT.problem : EXIT.ok;
  });
};
