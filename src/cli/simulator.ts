import { createSimulator, DEFAULT_KNOBS, turnKnobs } from "../testing/simulator/index.ts";
import { type CommandIo, EXIT, readArguments, UsageError } from "./command.ts";

export const HELP = `Usage: snapchat-destination simulator [options]

Plays Snapchat on this machine: sign-in, Marketing API, Conversions API and pixel script, over HTTP, for any language.

  --port <number>          Default 4010; 0 takes a free one.
  --redirect-uri <uri>     Registered with the OAuth app; may be repeated.
  --knob <name=value>      Turns a knob; the value is JSON. May be repeated.
  --seed <number>          Ids, tokens and chance. Default 1.
  --keep all|counts        counts keeps totals only, for very long runs. Default all.
  --separate               Each of Snapchat's hosts on a port of its own, from --port upwards.
  --json                   Prints one line of JSON with addresses, ids and secrets.
  --help
`;

/**
 * `snapchat-destination simulator`: runs until it is told to stop.
 *
 * @returns the exit code: 0; 1 where it cannot listen.
 */
export async function run(argv: string[], io: CommandIo): Promise<number> {
  const options = readOptions(argv);
  let simulator: RunningSimulator | undefined;
  try {
    simulator = await createSimulator(options.simulator);
    for (const uri of options.redirectUris) simulator.world.redirectUris.add(uri);
    io.stdout.write(options.json ? `${JSON.stringify(description(simulator))}\n` : welcome(simulator));
    await stopped(io.signal);
    return EXIT.ok;
  } catch (error) {
    io.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.failed;
  } finally {
    await simulator?.close();
  }
}

type RunningSimulator = Awaited<ReturnType<typeof createSimulator>>;

const OPTIONS = {
  port: { type: "string", default: "4010" },
  "redirect-uri": { type: "string", multiple: true },
  knob: { type: "string", multiple: true },
  seed: { type: "string", default: "1" },
  keep: { type: "string", default: "all" },
  separate: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

function readOptions(argv: string[]) {
  const { values } = readArguments(argv, OPTIONS, []);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new UsageError("--port takes a number from 0 to 65535.");
  const seed = Number(values.seed);
  if (!Number.isInteger(seed)) throw new UsageError("--seed takes a whole number.");
  const { keep } = values;
  if (keep !== "all" && keep !== "counts") throw new UsageError("--keep takes all or counts.");
  const knobs = Object.fromEntries((values.knob ?? []).map(readKnob));
  const origins: "one" | "separate" = values.separate ? "separate" : "one";
  return {
    json: values.json,
    redirectUris: values["redirect-uri"] ?? [],
    simulator: { port, seed, keep, origins, knobs: turned(knobs) } as const,
  };
}

/** The knobs as they are given, where there are such and they take such values. */
function turned(knobs: Record<string, unknown>): Record<string, unknown> {
  try {
    turnKnobs({ ...DEFAULT_KNOBS }, knobs);
    return knobs;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** `latencyMs=40`, `refreshToken=rotated`. */
function readKnob(text: string): [string, unknown] {
  const mark = text.indexOf("=");
  if (mark < 1) throw new UsageError(`--knob takes name=value, not ${text}.`);
  const value = text.slice(mark + 1);
  try {
    return [text.slice(0, mark), JSON.parse(value)];
  } catch {
    return [text.slice(0, mark), value];
  }
}

function stopped(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal) {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
      return;
    }
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
}

function description(simulator: RunningSimulator): Record<string, unknown> {
  const { url, endpoints, world } = simulator;
  const { clientId, clientSecret, redirectUris, main } = world;
  return {
    url,
    endpoints,
    clientId,
    clientSecret,
    redirectUris: [...redirectUris],
    people: world.people.map(({ name }) => name),
    organizationId: main.organization.id,
    adAccountId: main.adAccount.id,
    pixelId: main.pixel.id,
    mobileAppId: main.mobileApp?.id,
    conversionsToken: main.conversionsToken,
  };
}

function welcome(simulator: RunningSimulator): string {
  const { endpoints, world, url } = simulator;
  const { main } = world;
  return `A simulated Snapchat runs on this machine. Everything below is made up.

  accounts            ${endpoints.accounts}
  Marketing API       ${endpoints.adsApi}/v1
  Conversions API     ${endpoints.conversions}/v3
  pixel script        ${endpoints.pixelScript}/scevent.min.js
  state, knobs        ${url}/__simulator/state  …/knobs  …/faults  …/consent  …/world

  client id           ${world.clientId}
  client secret       ${world.clientSecret}
  redirect URIs       ${[...world.redirectUris].join("\n                      ")}
  people              ${world.people.map(({ name }) => name).join(", ")}
  ad account          ${main.adAccount.id}
  pixel               ${main.pixel.id}
  Conversions token   ${main.conversionsToken}

Ctrl+C ends it.
`;
}
