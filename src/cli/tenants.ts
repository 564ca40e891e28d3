import { COMMON, COMMON_HELP, type Command, EXIT, readArguments } from "./command.ts";
import { withHost } from "./host.ts";
import { everyPage } from "./pages.ts";
import { columns } from "./screen.ts";

export const HELP = `Usage: snapchat-destination tenants [options]

Lists the tenants: a tenant begins with its first destination.

${COMMON_HELP}
`;

const { tenant: _, ...OPTIONS } = COMMON;

/** `snapchat-destination tenants`. */
export const run: Command = async (argv, io) => {
  const { values } = readArguments(argv, OPTIONS, []);
  return withHost(values, async ({ tenants }) => {
    const known = await everyPage((after) => tenants.list(after));
    const rows = known.map(({ id, status, createdAt }) => [id, status, createdAt]);
    const text =
      rows.length === 0 ? "There are no tenants.\n" : `${columns([["tenant", "status", "since"], ...rows])}\n`;
    io.stdout.write(values.json ? `${JSON.stringify(known)}\n` : text);
    return EXIT.ok;
  });
};
