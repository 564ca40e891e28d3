import { writeFile } from "node:fs/promises";
import { type CheckLine, problem } from "../../destinations/index.ts";
import { isSnapchatError } from "../../errors.ts";
import { DEFAULT_KNOBS } from "../../testing/index.ts";
import { SNAPCHAT_ENDPOINTS } from "../../wire/endpoints.ts";
import { type Command, type CommandIo, EXIT, readArguments, UsageError } from "../command.ts";
import { columns, painter } from "../screen.ts";
import { createAsk, type Patient } from "./ask.ts";
import { examine } from "./engine.ts";
import { NOT_OBSERVED, type Observation, observe } from "./observe.ts";
import { reach } from "./reach.ts";
import { createRecorder } from "./record.ts";

export const HELP = `Usage: snapchat-destination doctor --pixel <id> [options]

Examines a set-up against the live Snapchat with your own credentials, and compares how Snapchat answers with what the
simulator assumes. Reads and validates only: nothing is counted, changed or refreshed.

Credentials come from the environment, never from the command line:
  SNAPCHAT_CONVERSIONS_TOKEN   A Conversions API token.
  SNAPCHAT_ACCESS_TOKEN        An access token of a signed-in person; lives an hour. For accounts and audiences.

  --pixel <id>             The Snap Pixel.
  --app <id>               The mobile app.
  --ad-account <id>        The ad account; needs the access token.
  --organization <id>      Its organization.
  --record <file>          Writes what was asked and answered, without tokens, ids and names, as a transcript that nock
                           can replay in a contract test.
  --endpoints <origin>     Another Snapchat, such as the simulator: http://127.0.0.1:4010.
  --json                   One JSON value instead of text.
  --help

Exit code 3: something is a problem. Differences from the simulator are told, and are none.
`;

/** `snapchat-destination doctor`. */
export const run: Command = async (argv, io) => {
  const { values } = readArguments(
    argv,
    {
      pixel: { type: "string" },
      app: { type: "string" },
      "ad-account": { type: "string" },
      organization: { type: "string" },
      record: { type: "string" },
      endpoints: { type: "string" },
      json: { type: "boolean", default: false },
    },
    [],
  );
  const env = io.env ?? process.env;
  const patient: Patient = {
    endpoints: endpointsAt(values.endpoints),
    accessToken: env.SNAPCHAT_ACCESS_TOKEN?.trim() || undefined,
    conversionsToken: env.SNAPCHAT_CONVERSIONS_TOKEN?.trim() || undefined,
    pixelId: values.pixel,
    mobileAppId: values.app,
    adAccountId: values["ad-account"],
    organizationId: values.organization,
  };
  if (patient.accessToken === undefined && patient.conversionsToken === undefined) {
    throw new UsageError("Set SNAPCHAT_CONVERSIONS_TOKEN, SNAPCHAT_ACCESS_TOKEN, or both.");
  }
  const title = "Recorded by snapchat-destination doctor";
  const recorder = createRecorder(title, patient.endpoints, (request) => fetch(request));
  const used = values.record === undefined ? undefined : recorder.fetch;

  const ask = createAsk(patient, used);
  const reached = await reach(ask, patient);
  const lines = reached.answered
    ? [...reached.lines, ...(await examined(patient, used, reached.lines))]
    : reached.lines;
  const observations = reached.answered ? await observe(ask, patient, DEFAULT_KNOBS, Date.now()) : [];
  if (values.record !== undefined)
    await writeFile(values.record, `${JSON.stringify(recorder.transcript(), null, 2)}\n`);
  if (values.json) {
    io.stdout.write(`${JSON.stringify({ lines, observations, notObserved: NOT_OBSERVED })}\n`);
  } else {
    io.stdout.write(asText(lines, observations, io));
  }
  return lines.some(({ status }) => status === "problem") ? EXIT.problem : EXIT.ok;
};

/** Lines about a destination in use: the doctor's own is made for the checks, is off and has no queue. */
const OF_A_DESTINATION = new Set(["destination_disabled", "workflow_missing", "queue", "queue_paused"]);

async function examined(
  patient: Patient,
  fetch: Parameters<typeof examine>[1],
  known: readonly CheckLine[],
): Promise<readonly CheckLine[]> {
  // A destination waits for its token and asks again; the doctor asked, and has said what came of it.
  const said = known.length > 0 ? "token_unconfirmed" : undefined;
  try {
    const { lines } = await examine(patient, fetch);
    return lines.filter(({ code }) => !OF_A_DESTINATION.has(code) && code !== said);
  } catch (error) {
    if (!isSnapchatError(error)) throw error;
    return [problem(error.code, error.message, error.fix)];
  }
}

function endpointsAt(origin: string | undefined): Patient["endpoints"] {
  if (origin === undefined) return SNAPCHAT_ENDPOINTS;
  if (!URL.canParse(origin)) throw new UsageError("--endpoints takes an origin such as http://127.0.0.1:4010.");
  const at = new URL(origin).origin;
  return { accounts: at, adsApi: at, conversions: at, pixelScript: at };
}

function asText(lines: readonly CheckLine[], observations: readonly Observation[], io: CommandIo): string {
  const paint = painter(io);
  const mark = { ok: paint("green", "✓"), warning: paint("yellow", "!"), problem: paint("red", "✗") };
  const checks = lines.map(({ status, message, fix }) => `${mark[status]} ${message}${fix ? `\n  → ${fix}` : ""}`);
  return `${checks.join("\n")}\n\n${compared(observations)}\n`;
}

function compared(observations: readonly Observation[]): string {
  if (observations.length === 0) return "Nothing was answered that could be compared with the simulator.";
  const different = observations.filter(({ agrees }) => !agrees);
  const rows = different.map(({ knob, seen }) => [
    `  ${knob}`,
    `Snapchat: ${String(seen)}`,
    `simulator: ${JSON.stringify(DEFAULT_KNOBS[knob])}`,
  ]);
  const facts =
    different.length === 0
      ? `Snapchat answered as the simulator does in all ${observations.length} facts that could be asked for.`
      : `Of ${observations.length} facts, Snapchat answered ${different.length} unlike the simulator:\n${columns(rows)}`;
  return `${facts}\n${Object.keys(NOT_OBSERVED).length} more cannot be asked for without counting or changing something.`;
}
