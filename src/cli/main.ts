import { isSnapchatError } from "../errors.ts";
import { type Command, type CommandIo, EXIT, UsageError } from "./command.ts";
import { didYouMean } from "./nearest.ts";

const COMMANDS: Record<string, { summary: string; load: () => Promise<{ run: Command; HELP: string }> }> = {
  simulator: {
    summary: "Run a local Snapchat (OAuth, Marketing API, Conversions API, pixel) on loopback",
    load: () => import("./simulator.ts"),
  },
  doctor: {
    summary: "Examine a set-up against the live Snapchat, reading and validating only",
    load: () => import("./doctor/index.ts"),
  },
  tenants: { summary: "The tenants and their ids", load: () => import("./tenants.ts") },
  destinations: { summary: "A tenant's destinations and their ids", load: () => import("./destinations.ts") },
  verify: { summary: "What is set up wrong, what Snapchat saw, what waits", load: () => import("./verify.ts") },
  explain: { summary: "What would happen to an event on standard input, and why", load: () => import("./explain.ts") },
  receipts: { summary: "Where is my purchase? Decisions, attempts and answers", load: () => import("./receipts.ts") },
  segments: { summary: "Segments and their state; bring a whole file into one", load: () => import("./segments.ts") },
  "dead-letters": { summary: "List, replay or purge what was not delivered", load: () => import("./dead-letters.ts") },
  keys: { summary: "Rotate the sealing keys; see which are in use", load: () => import("./keys.ts") },
  storage: { summary: "Check the engine's settings; migrate its tables", load: () => import("./storage.ts") },
};

/**
 * Runs one command line. Exit codes: {@link EXIT}.
 */
export async function main(argv: string[], io: CommandIo): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    io.stdout.write(`${help()}\n`);
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    const meant = didYouMean(name, Object.keys(COMMANDS));
    io.stderr.write(`There is no command "${name}".${meant}\nsnapchat-destination --help lists them.\n`);
    return EXIT.usage;
  }
  const { run, HELP } = await command.load();
  if (rest.includes("--help")) {
    io.stdout.write(HELP);
    return EXIT.ok;
  }
  try {
    return await run(rest, io);
  } catch (error) {
    if (error instanceof UsageError) {
      io.stderr.write(`${error.message}\nsnapchat-destination ${name} --help tells more.\n`);
      return EXIT.usage;
    }
    io.stderr.write(`${describe(error)}\n`);
    return EXIT.failed;
  }
}

function help(): string {
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(14)}${summary}`);
  return [
    "Usage: snapchat-destination <command> [options]",
    "",
    ...lines,
    "",
    "snapchat-destination <command> --help tells more.",
    "Exit codes: 0 done, 1 failed, 2 the call's words are off, 3 done and a problem was found.",
  ].join("\n");
}

/** The commands of the terminal for the calls that a fix names. */
const ON_THE_TERMINAL = [
  ["destinations.list()", "`snapchat-destination destinations --tenant <id>`"],
  ["tenants.list()", "`snapchat-destination tenants`"],
] as const;

function describe(error: unknown): string {
  if (isSnapchatError(error)) {
    const fix = ON_THE_TERMINAL.reduce((text, [call, command]) => text.replace(call, command), error.fix);
    return `${error.code}: ${error.message}\n${fix}`;
  }
  return error instanceof Error ? error.message : String(error);
}
