import { isSnapchatError } from "../errors.ts";

/** Where a command writes; tests pass their own. */
export interface CommandIo {
  out(text: string): void;
  err(text: string): void;
}

/** A command of the terminal: its arguments in, its exit code out. */
type Command = (argv: string[], io: CommandIo) => Promise<number>;

const COMMANDS: Record<string, { summary: string; load: () => Promise<Command> }> = {
  simulator: {
    summary: "Run a local Snapchat (OAuth, Marketing API, Conversions API, pixel) on loopback",
    load: async () => (await import("./simulator.ts")).run,
  },
};

/**
 * Runs one command line.
 *
 * Exit codes: 0 done, 1 failed, 2 the call's words are off.
 */
export async function main(argv: string[], io: CommandIo): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    io.out(help());
    return name === undefined ? 2 : 0;
  }
  const command = COMMANDS[name];
  if (!command) {
    io.err(`snapchat-destination: there is no command "${name}".\n\n${help()}`);
    return 2;
  }
  try {
    return await (await command.load())(rest, io);
  } catch (error) {
    io.err(describe(error));
    return 1;
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
  ].join("\n");
}

function describe(error: unknown): string {
  if (isSnapchatError(error)) return `${error.code}: ${error.message}\n${error.fix}`;
  return error instanceof Error ? error.message : String(error);
}
