import type { EventRecord } from "./conversions/store.ts";
import type { FaultRule } from "./faults.ts";
import { turnKnobs } from "./knobs.ts";
import { type Incoming, isObject, json, type Outgoing, parseJson } from "./message.ts";
import type { Simulator } from "./simulator.ts";

const LOCAL_HOST = /^(?:127\.0\.0\.1|localhost|\[::1\]|simulator\.invalid)(?::\d+)?$/;

/** `/__simulator/…`: everything a test in the same process can do, for a process of another language. */
export function createControlPages(simulator: Simulator): (incoming: Incoming) => Outgoing {
  const pages: Record<string, (incoming: Incoming, body: Record<string, unknown>) => unknown> = {
    "GET state": () => simulator.snapshot(),
    "GET world": () => ({ ...worldAsJson(simulator), endpoints: simulator.endpoints }),
    "GET knobs": () => simulator.knobs,
    "PUT knobs": (_, body) => turnKnobs(simulator.knobs, body),
    "GET events": (incoming) => eventsLike(simulator, incoming.query),
    "GET requests": () => simulator.inspect.requests,
    "GET tokens": () => simulator.inspect.tokens,
    "GET segments": () => simulator.inspect.segments(),
    "GET members": (incoming) => {
      const members = simulator.inspect.members(incoming.query.get("segment") ?? "");
      return Object.fromEntries(Object.entries(members).map(([kind, hashes]) => [kind, [...hashes]]));
    },
    "GET pixel-reports": () => simulator.inspect.pixelReports,
    "GET logs": (incoming) => simulator.inspect.logs(incoming.query.get("asset") ?? ""),
    "GET faults": () => simulator.snapshot().faults,
    "POST faults": (_, body) => {
      const { id } = simulator.faults.add(ruleFrom(body));
      return { id };
    },
    "DELETE faults": () => {
      simulator.faults.clear();
      return {};
    },
    "POST consent": (_, body) => ({
      redirect: simulator.consent(String(body.authorizeUrl), {
        ...(typeof body.person === "string" ? { person: body.person } : {}),
        ...(typeof body.allow === "boolean" ? { allow: body.allow } : {}),
      }),
    }),
    "POST redirect-uris": (_, body) => {
      simulator.world.redirectUris.add(String(body.uri));
      return { redirectUris: [...simulator.world.redirectUris] };
    },
    "POST control": (_, body) => callControl(simulator, body),
    "POST reset": () => {
      simulator.reset();
      return {};
    },
  };

  return (incoming) => {
    // A web page that resolves its own name to this machine must not steer the simulator.
    const host = incoming.headers.host;
    if (host !== undefined && !LOCAL_HOST.test(host)) return json(403, { error: "Call this by a loopback name." });
    const name = incoming.path.split("/")[2] ?? "";
    const page = pages[`${incoming.method} ${name}`];
    if (!page) return json(404, { error: "No such page.", pages: Object.keys(pages) });
    const body = incoming.body === "" ? {} : parseJson(incoming.body);
    if (!isObject(body)) return json(400, { error: "The body must be a JSON object." });
    try {
      return json(200, page(incoming, body) ?? {});
    } catch (error) {
      return json(400, { error: error instanceof Error ? error.message : String(error) });
    }
  };
}

/** Events whose fields are as the query says: `?outcome=rejected&name=PURCHASE`. */
function eventsLike(simulator: Simulator, query: URLSearchParams): EventRecord[] {
  const wanted = [...query] as [keyof EventRecord, string][];
  return simulator.inspect.events.list().filter((event) => wanted.every(([key, text]) => String(event[key]) === text));
}

function worldAsJson(simulator: Simulator): Record<string, unknown> {
  const plain = (_: string, value: unknown): unknown => {
    if (value instanceof Set) return [...value];
    return value instanceof Map ? Object.fromEntries(value) : value;
  };
  return JSON.parse(JSON.stringify(simulator.world, plain)) as Record<string, unknown>;
}

/** A rule as JSON: `pathPattern` stands for a regular expression. */
function ruleFrom(body: Record<string, unknown>): FaultRule {
  const { pathPattern, ...rule } = body;
  return { ...(rule as FaultRule), ...(typeof pathPattern === "string" ? { path: new RegExp(pathPattern) } : {}) };
}

/** `{ "do": "revokeAccessTokens", "with": ["ada"] }`. */
function callControl(simulator: Simulator, body: Record<string, unknown>): unknown {
  const name = String(body.do);
  const control = simulator.control as unknown as Record<string, (...given: unknown[]) => unknown>;
  const action = Object.hasOwn(control, name) ? control[name] : undefined;
  if (!action) throw new Error(`There is no control called ${name}.`);
  return { result: action(...(Array.isArray(body.with) ? body.with : [])) ?? null };
}
