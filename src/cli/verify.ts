import { COMMON, COMMON_HELP, type Command, EXIT, readArguments } from "./command.ts";
import { withTenant } from "./host.ts";
import { painter } from "./screen.ts";

export const HELP = `Usage: snapchat-destination verify <destination> --tenant <id> [options]

Looks at a destination's set-up, at what Snapchat saw of it and at what waits here. Sends no event that counts.

  --markdown               A table for a ticket.
${COMMON_HELP}

Exit code 3: something is a problem.
`;

/** `snapchat-destination verify`. */
export const run: Command = async (argv, io) => {
  const options = { ...COMMON, markdown: { type: "boolean", default: false } } as const;
  const { values, positionals } = readArguments(argv, options, ["destination"]);
  return withTenant(values, async (tenant) => {
    const report = await tenant.verify(positionals[0] ?? "");
    if (values.json) io.stdout.write(`${JSON.stringify(report)}\n`);
    else if (values.markdown) io.stdout.write(`${report.markdown()}\n`);
    else {
      const paint = painter(io);
      const colour = { "✓": "green", "!": "yellow", "✗": "red" } as const;
      const lines = report.text().split("\n");
      const painted = lines.map((line) => {
        const style = colour[line[0] as keyof typeof colour];
        return style ? paint(style, line) : line;
      });
      io.stdout.write(`${painted.join("\n")}\n`);
    }
    return report.ok ? EXIT.ok : EXIT.problem;
  });
};
