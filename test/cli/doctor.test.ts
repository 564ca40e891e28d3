import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import nock from "nock";
import {
  createSimulator,
  DEFAULT_KNOBS,
  type Knobs,
  readTranscript,
  replayTranscript,
  type Simulator,
} from "snapchat-destination/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAsk } from "../../src/cli/doctor/ask.ts";
import { NOT_OBSERVED, observe } from "../../src/cli/doctor/observe.ts";
import { main } from "../../src/cli/main.ts";

let simulator: Simulator;
let accessToken: string;

beforeAll(async () => {
  simulator = await createSimulator({ knobs: { oauthTokenPerSecond: 100_000, oauthAppPerSecond: 100_000 } });
  const redirect = "http://127.0.0.1:1/callback";
  simulator.world.redirectUris.add(redirect);
  const { clientId, clientSecret } = simulator.world;
  const scope = "snapchat-marketing-api snapchat-offline-conversions-api";
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirect,
    response_type: "code",
    scope,
    state: "s",
  });
  const back = new URL(simulator.consent(`${simulator.endpoints.accounts}/login/oauth2/authorize?${query}`));
  const answer = await fetch(`${simulator.endpoints.accounts}/login/oauth2/access_token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code: back.searchParams.get("code") ?? "",
      client_id: clientId,
      client_secret: clientSecret,
      redirect_uri: redirect,
    }),
  });
  accessToken = ((await answer.json()) as { access_token: string }).access_token;
});
afterAll(() => simulator.close());

async function doctor(argv: string[] = [], env: Record<string, string> = {}) {
  const { adAccount, organization, pixel, conversionsToken } = simulator.world.main;
  const stdout: string[] = [];
  const stderr: string[] = [];
  const given = ["--pixel", pixel.id, "--ad-account", adAccount.id, "--organization", organization.id];
  const code = await main(["doctor", "--endpoints", simulator.url, ...given, ...argv], {
    stdout: { write: (text) => stdout.push(text) },
    stderr: { write: (text) => stderr.push(text) },
    env: { SNAPCHAT_ACCESS_TOKEN: accessToken, SNAPCHAT_CONVERSIONS_TOKEN: conversionsToken, ...env },
  });
  return { code, stdout: stdout.join(""), stderr: stderr.join("") };
}

async function differences(): Promise<string[]> {
  const { adAccount, pixel, conversionsToken } = simulator.world.main;
  const patient = {
    endpoints: simulator.endpoints,
    accessToken,
    conversionsToken,
    pixelId: pixel.id,
    adAccountId: adAccount.id,
  };
  const observations = await observe(createAsk(patient, undefined), patient, DEFAULT_KNOBS, Date.now());
  return observations.filter(({ agrees }) => !agrees).map(({ knob }) => knob);
}

const OTHER: { [K in keyof Knobs]?: Knobs[K][] } = {
  conversionsAuth: ["query"],
  invalidTokenStatus: [400],
  foreignAssetStatus: [401, 403],
  eventsPerRequest: [500, 5_000],
  maxAgeMs: [
    { ...DEFAULT_KNOBS.maxAgeMs, web: 3_600_000 },
    { ...DEFAULT_KNOBS.maxAgeMs, offline: 100 * 86_400_000 },
  ],
  futureToleranceMs: [60_000, 3_600_000],
  acceptsMilliseconds: [
    { web: false, app: false, offline: false },
    { web: true, app: true, offline: true },
  ],
  errorEnvelope: ["flat"],
  errorCodes: ["number"],
  firstEventIndex: [0],
  invalidStatus: [200],
  unknownEventNames: ["accept"],
  appOnlyEventNames: ["accept"],
  unknownCurrencies: ["reject"],
  urlRequiredOffWeb: [true],
  unknownKeys: ["ignore", "reject"],
  unhashedCheck: [false],
  identityCheck: [false],
  gzipRequests: ["accept"],
  statusCase: ["lower"],
  requestIds: ["legacy"],
  unauthorizedBody: ["json"],
  pageLimits: ["clamp"],
};

describe("doctor", () => {
  it("finds nothing wrong and no difference with the simulator as it comes, and counts and changes nothing", async () => {
    const before = simulator.inspect.requests.length;
    const { code, stdout, stderr } = await doctor();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("✓ Snapchat accepts the Conversions API token.");
    expect(stdout).toContain("as the simulator does");
    expect(simulator.inspect.events.counted).toBe(0);
    expect(simulator.inspect.segments()).toEqual([]);
    const asked = simulator.inspect.requests.slice(before).map(({ method, path }) => `${method} ${path}`);
    expect(asked.filter((line) => !line.startsWith("GET ") && !line.endsWith("/events/validate"))).toEqual([]);
  });

  it("says of every knob whether an answer can show it", () => {
    const told = [...Object.keys(OTHER), ...Object.keys(NOT_OBSERVED)];
    expect(told.sort()).toEqual(Object.keys(DEFAULT_KNOBS).sort());
  });

  for (const knob of Object.keys(OTHER) as (keyof Knobs)[]) {
    it(`reports exactly ${knob} where it is turned`, async () => {
      for (const value of OTHER[knob] ?? []) {
        const kept = simulator.knobs[knob];
        Object.assign(simulator.knobs, { [knob]: value });
        try {
          expect(await differences(), JSON.stringify(value)).toEqual([knob]);
        } finally {
          Object.assign(simulator.knobs, { [knob]: kept });
        }
      }
    });
  }

  it("needs a credential, and takes none from the command line", async () => {
    const without = await doctor([], { SNAPCHAT_ACCESS_TOKEN: "", SNAPCHAT_CONVERSIONS_TOKEN: "" });
    expect(without).toMatchObject({ code: 2, stderr: expect.stringContaining("SNAPCHAT_CONVERSIONS_TOKEN") });
  });

  it("names a token that Snapchat refuses, without showing it", async () => {
    const { code, stdout } = await doctor([], { SNAPCHAT_CONVERSIONS_TOKEN: "eyJhbGciOi.not.a.token.at.all.x" });
    expect(code).toBe(3);
    expect(stdout).toMatch(/^✗ Snapchat refuses the Conversions API token .*\n {2}→ /);
    expect(stdout).not.toMatch(/not\.a\.token|every five minutes/);
  });

  it("says first that the token is not for this pixel, where that is so", async () => {
    const { code, stdout } = await doctor(["--pixel", "00000000-0000-4000-8000-000000000001"], {
      SNAPCHAT_ACCESS_TOKEN: "",
    });
    expect(code).toBe(3);
    expect(stdout).toMatch(/^✗ The Conversions API token may not use this pixel or app \(HTTP 400\)/);
    expect(stdout).not.toMatch(/every five minutes|all 0 facts/);
  });

  it("says that nobody answers, and nothing else, where nobody does", async () => {
    const { code, stdout } = await doctor(["--endpoints", "http://127.0.0.1:1"]);
    expect(code).toBe(3);
    expect(stdout).toMatch(
      /^✗ Could not reach http:\/\/127\.0\.0\.1:1 \(\w+\)\.\n {2}→ Check .+\n\nNothing was answered/,
    );
    expect(stdout.match(/✗/g)).toHaveLength(1);
  });

  it("exits 3 where something is a problem", async () => {
    const foreign = await doctor(["--pixel", "00000000-0000-4000-8000-000000000001"]);
    expect(foreign).toMatchObject({ code: 3, stdout: expect.stringContaining("✗") });
  });

  it("records a transcript that nock replays, with no token, id, name or address in it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "doctor-"));
    const file = join(folder, "transcript.json");
    await doctor(["--record", file]);
    const text = readFileSync(file, "utf8");
    rmSync(folder, { recursive: true });
    const transcript = readTranscript(text);
    expect(transcript.exchanges.length).toBeGreaterThan(10);
    const { main: world, people } = simulator.world;
    for (const secret of [
      accessToken,
      world.conversionsToken,
      world.adAccount.id,
      world.pixel.id,
      world.adAccount.name,
      world.organization.name,
      ...people.map(({ name }) => `"${name}"`),
      "127.0.0.1",
      "@",
    ]) {
      expect(text, secret).not.toContain(secret);
    }
    nock.disableNetConnect();
    try {
      replayTranscript(nock, transcript);
      const answer = await fetch("https://adsapi.snapchat.com/v1/me");
      expect(await answer.json()).toMatchObject({ request_status: "SUCCESS" });
    } finally {
      nock.cleanAll();
      nock.enableNetConnect();
      nock.restore();
    }
  });
});
