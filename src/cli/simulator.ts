import { parseArgs } from "node:util";
import { createSimulator, DEFAULT_KNOBS, turnKnobs } from "../testing/simulator/index.ts";
import type { CommandIo } from "./command.ts";

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
 * @returns the exit code: 0; 2 for arguments it does not understand; 1 where it cannot listen.
 */
export async function run(argv: string[], io: CommandIo): Promise<number> {
  const options = readOptions(argv);
  if (typeof options === "string") {
    io.stderr.write(`${options}\n\n${HELP}`);
    return 2;
  }
  let simulator: RunningSimulator | undefined;
  try {
    simulator = await createSimulator(options.simulator);
    for (const uri of options.redirectUris) simulator.world.redirectUris.add(uri);
    io.stdout.write(options.json ? `${JSON.stringify(description(simulator))}\n` : welcome(simulator));
    await stopped(io.signal);
    return 0;
  } catch (error) {
    io.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await simulator?.close();
  }
}

type RunningSimulator = Awaited<ReturnType<typeof createSimulator>>;

function readOptions(argv: string[]) {
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        port: { type: "string", default: "4010" },
        "redirect-uri": { type: "string", multiple: true, default: [] },
        knob: { type: "string", multiple: true, default: [] },
        seed: { type: "string", default: "1" },
        keep: { type: "string", default: "all" },
        separate: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
      },
    });
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 0 || port > 65_535) return `--port takes a number from 0 to 65535.`;
    const seed = Number(values.seed);
    if (!Number.isInteger(seed)) return "--seed takes a whole number.";
    const { keep } = values;
    if (keep !== "all" && keep !== "counts") return "--keep takes all or counts.";
    const knobs = Object.fromEntries(values.knob.map(readKnob));
    turnKnobs({ ...DEFAULT_KNOBS }, knobs);
    const origins: "one" | "separate" = values.separate ? "separate" : "one";
    return {
      json: values.json,
      redirectUris: values["redirect-uri"],
      simulator: { port, seed, keep, origins, knobs } as const,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** `latencyMs=40`, `refreshToken=rotated`. */
function readKnob(text: string): [string, unknown] {
  const mark = text.indexOf("=");
  if (mark < 1) throw new Error(`--knob takes name=value, not ${text}.`);
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
