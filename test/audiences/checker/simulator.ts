import type { Clock } from "../../../src/clock.ts";
import { SnapchatError } from "../../../src/errors.ts";
import { createHttpClient, type HttpClient, type HttpRequest, type HttpResponse } from "../../../src/http/index.ts";
import { createSimulator } from "../../../src/testing/index.ts";
import type { createSnapchatModel } from "../../delivery/checker/snapchat-model.ts";
import { promisesDone } from "../../delivery/support.ts";
import type { Snapchat } from "./snapchat.ts";

/** The simulator on the history's clock, behind a network that loses, delays and keeps requests. */
export async function simulatorSnapchat({
  clock,
  random,
  faults,
  note,
}: Parameters<typeof createSnapchatModel>[0]): Promise<Snapchat> {
  const simulator = await createSimulator({ listen: false, clock, knobs: { rateLimits: false } });
  let token = simulator.control.issueToken().access_token;
  let issuedAt = clock.monotonic();
  /** Tokens last half an hour; this is not about tokens. */
  const current = () => {
    if (clock.monotonic() - issuedAt > 20 * 60_000) {
      token = simulator.control.issueToken().access_token;
      issuedAt = clock.monotonic();
    }
    return token;
  };
  const direct = createHttpClient({
    origins: Object.values(simulator.endpoints),
    fetch: (request) => simulator.fetch(request),
  });
  // The simulator reads a request in real time: the history's time stands still until it has answered.
  const underWay = new Set<Promise<unknown>>();
  const send = ({ signal: _, ...request }: HttpRequest) => {
    const answer = direct.request({
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${current()}` },
    });
    const done: Promise<unknown> = answer.then(
      () => underWay.delete(done),
      () => underWay.delete(done),
    );
    underWay.add(done);
    return answer;
  };
  const find = (marker: string) =>
    simulator.inspect.segments().find(({ description }) => description?.includes(marker) ?? false);

  return {
    client: (worker) =>
      troubled({ request: send }, { clock, random, faults, note: (text) => note(`${worker} ${text}`) }),
    adAccountId: simulator.world.main.adAccount.id,
    options: { endpoints: simulator.endpoints },
    members(marker) {
      const segment = find(marker);
      if (!segment) return new Set();
      const kinds = Object.entries(simulator.inspect.members(segment.id));
      return new Set(kinds.flatMap(([kind, hashes]) => [...hashes].map((hash) => `${kind} ${hash}`)));
    },
    remove(marker) {
      const segment = find(marker);
      if (segment) simulator.control.deleteSegment(segment.id);
      return segment !== undefined;
    },
    async idle() {
      await promisesDone();
      while (underWay.size > 0) {
        await Promise.all(underWay);
        await promisesDone();
      }
    },
    close: () => simulator.close(),
  };
}

const TIMEOUT_MS = 15_000;

function troubled(
  http: HttpClient,
  { clock, random, faults, note }: { clock: Clock; random(): number; faults(): number; note(text: string): void },
): HttpClient {
  return {
    async request(request): Promise<HttpResponse> {
      const { signal } = request;
      const wait = async (ms: number) => {
        await clock.sleep(Math.min(ms, TIMEOUT_MS), signal);
        if (signal?.aborted || ms >= TIMEOUT_MS) throw lost(signal?.aborted ? "aborted" : "request_timeout");
      };
      const fault = random() < faults() ? Math.floor(random() * 5) : -1;
      if (fault >= 0) note(`${request.label}: fault ${fault}`);
      const latencyMs = 20 + random() * 400;
      if (fault === 0) throw new SnapchatError({ ...FAILURE, code: "network_error", details: { sent: "no" } });
      if (fault === 1) {
        await wait(latencyMs);
        throw lost("network_error");
      }
      if (fault === 2) {
        // Taken at once; the answer never comes.
        await http.request(request);
        await wait(TIMEOUT_MS);
      }
      if (fault === 3) {
        // Taken after its sender gave up.
        void clock.sleep(TIMEOUT_MS + random() * 25_000).then(() => http.request(request));
        await wait(TIMEOUT_MS);
      }
      await wait(latencyMs);
      if (fault === 4)
        return {
          status: 503,
          headers: new Headers(),
          text: "",
          json: undefined,
          requestId: "r",
          durationMs: 1,
          withoutSent: (text) => text,
        };
      const answer = await http.request(request);
      await wait(latencyMs);
      return answer;
    },
  };
}

const FAILURE = { kind: "retry", message: "The network failed.", fix: "" } as const;
const lost = (code: string) => new SnapchatError({ ...FAILURE, code, details: { sent: "maybe" } });
