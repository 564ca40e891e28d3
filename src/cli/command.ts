import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { didYouMean } from "./nearest.ts";

/** Where a command reads and writes, and how it learns that it should end. */
export interface CommandIo {
  stdin?: AsyncIterable<string | Uint8Array>;
  stdout: Output;
  stderr: Output;
  env?: Readonly<Record<string, string | undefined>>;
  /** Ends a command that would otherwise run for long. */
  signal?: AbortSignal;
}

export interface Output {
  write(text: string): unknown;
  /** A terminal: colours and progress bars are shown. */
  isTTY?: boolean | undefined;
}

/** A command of the terminal: its arguments in, its exit code out. */
export type Command = (argv: string[], io: CommandIo) => Promise<number>;

/** The exit codes of every command. */
export const EXIT = {
  /** Done; nothing is wrong. */
  ok: 0,
  /** The command could not be carried out. */
  failed: 1,
  /** The call's words are off. */
  usage: 2,
  /** Carried out, and what it looked at has a problem. */
  problem: 3,
} as const;

/** The call's words are off. */
export class UsageError extends Error {}

/** Options that every command with a host's configuration takes. */
export const COMMON = {
  config: { type: "string" },
  tenant: { type: "string" },
  json: { type: "boolean", default: false },
} as const satisfies ParseArgsOptionsConfig;

export const COMMON_HELP = `  --config <file>          A module whose default export is your createSnapchat(…), or a function that makes it.
                           Default: snapchat.config.ts, .mjs or .js in this folder.
  --tenant <id>            The tenant.
  --json                   One JSON value instead of text.
  --help`;

/**
 * Node's own `parseArgs`, with its complaints as {@link UsageError}.
 *
 * @param positionals names of what comes without a flag; one that ends in `?` may be left out
 */
export function readArguments<const O extends ParseArgsOptionsConfig>(
  argv: string[],
  options: O,
  positionals: readonly string[],
) {
  let parsed: ReturnType<typeof parseArgs<{ args: string[]; options: O; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args: argv, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(complaint(error, Object.keys(options)));
  }
  const needed = positionals.filter((name) => !name.endsWith("?"));
  const missing = needed[parsed.positionals.length];
  if (missing !== undefined) throw new UsageError(`<${missing}> is missing.`);
  const extra = parsed.positionals[positionals.length];
  if (extra !== undefined) throw new UsageError(`"${extra}" is one word too many.`);
  return parsed;
}

/** What `parseArgs` objects to, without its advice about words that begin with a dash. */
function complaint(error: unknown, options: readonly string[]): string {
  const { code, message } = error as { code?: string; message: string };
  const [, given = ""] = /'(-[^'\s]*)/.exec(message) ?? [];
  if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
    const known = [...options, "help"].map((name) => `--${name}`);
    return `There is no option ${given}.${didYouMean(given, known)}`;
  }
  if (code === "ERR_PARSE_ARGS_INVALID_OPTION_VALUE" && !message.includes("does not take"))
    return `${given} needs a value.`;
  return message.split("\n", 1)[0] ?? "";
}

/** A whole number of an option. */
export function wholeNumber(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new UsageError(`--${option} takes a whole number.`);
  return number;
}
