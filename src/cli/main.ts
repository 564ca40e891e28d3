import { isSnapchatError } from "../errors.ts";

/** Where a command writes, and how it learns that it should end. */
export interface CommandIo {
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
  /** Ends a command that would otherwise run for ever. */
  signal?: AbortSignal;
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
    io.stdout.write(`${help()}\n`);
    return name === undefined ? 2 : 0;
  }
  const command = COMMANDS[name];
  if (!command) {
    io.stderr.write(`snapchat-destination: there is no command "${name}".\n\n${help()}\n`);
    return 2;
  }
  try {
    return await (await command.load())(rest, io);
  } catch (error) {
    io.stderr.write(`${describe(error)}\n`);
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
