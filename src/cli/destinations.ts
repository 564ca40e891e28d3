import { COMMON, COMMON_HELP, type Command, EXIT, readArguments } from "./command.ts";
import { withTenant } from "./host.ts";
import { everyPage } from "./pages.ts";
import { columns } from "./screen.ts";

export const HELP = `Usage: snapchat-destination destinations --tenant <id> [options]

Lists a tenant's destinations with their ids, which the other commands take.

${COMMON_HELP}
`;

/** `snapchat-destination destinations`. */
export const run: Command = async (argv, io) => {
  const { values } = readArguments(argv, COMMON, []);
  return withTenant(values, async ({ destinations }) => {
    const known = await everyPage((after) => destinations.list(after));
    const rows = known.map(({ id, name, enabled, pixelId }) => [id, enabled ? "on" : "off", pixelId ?? "–", name]);
    const none = `${values.tenant} has no destinations. \`snapchat-destination tenants\` lists who has.\n`;
    const text = rows.length === 0 ? none : `${columns([["destination", "is", "pixel", "name"], ...rows])}\n`;
    io.stdout.write(values.json ? `${JSON.stringify(known)}\n` : text);
    return EXIT.ok;
  });
};
