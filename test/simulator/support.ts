import { createSimulator, type Simulator, type SimulatorOptions } from "../../src/testing/index.ts";

/** A clock a test moves by hand. Starts on a whole 5 s, so that aligned windows begin with it. */
export function fakeClock(start = 1_790_000_000_000) {
  return {
    at: start,
    now() {
      return this.at;
    },
    advance(ms: number) {
      this.at += ms;
    },
  };
}

export type FakeClock = ReturnType<typeof fakeClock>;

export const DIGEST = {
  em: "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345",
  ph: "dc008fda46e2e64002cf2f82a4906236282d431c4f75e5b60bfe79fc48546383",
  fn: "e74bb89e718fe1e19c422a48382870399f8bf7ca8dfa008739e75b0be76627b7",
};

/** A simulator with calls that read like what they do. */
export async function start(options: SimulatorOptions = {}) {
  const clock = fakeClock();
  const simulator = await createSimulator({ clock, ...options });
  return { clock, simulator, ...calls(simulator, clock) };
}

export interface Answer {
  status: number;
  text: string;
  json: Record<string, unknown> & { [key: string]: never };
  headers: Headers;
}

function calls(simulator: Simulator, clock: FakeClock) {
  const { world, endpoints } = simulator;
  const { pixel, adAccount } = world.main;

  async function call(url: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(url, { redirect: "manual", ...init });
    const text = await response.text();
    let json = {} as Answer["json"];
    try {
      json = JSON.parse(text);
    } catch {}
    return { status: response.status, text, json, headers: response.headers };
  }

  return {
    call,
    /** A web event nothing is wrong with. */
    event(changes: Record<string, unknown> = {}) {
      return {
        event_name: "PAGE_VIEW",
        event_time: Math.floor(clock.now() / 1_000),
        event_id: "evt-1",
        action_source: "WEB",
        event_source_url: "https://shop.example/",
        integration: "my-cdp",
        user_data: { em: [DIGEST.em] },
        ...changes,
      };
    },
    appEvent(changes: Record<string, unknown> = {}) {
      return {
        event_name: "LEVEL_COMPLETE",
        event_time: Math.floor(clock.now() / 1_000),
        event_id: "evt-app-1",
        action_source: "MOBILE_APP",
        integration: "my-cdp",
        user_data: { madid: "38400000-8cf0-11bd-b23e-10b96e40000d" },
        app_data: {
          app_id: "net.example.game",
          advertiser_tracking_enabled: 1,
          extinfo: ["a2", "net.example.game", "42", "4.2.0", "15", "", "", "", "", "", "", "", "", "", "", ""],
        },
        ...changes,
      };
    },
    send(events: unknown, options: { assetId?: string; token?: string; path?: string; extra?: object } = {}) {
      const { assetId = pixel.id, token = world.main.conversionsToken, path = "events", extra = {} } = options;
      return call(`${endpoints.conversions}/v3/${assetId}/${path}?access_token=${encodeURIComponent(token)}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ data: events, ...extra }),
      });
    },
    /** A call of the Marketing API as a person. */
    ads(method: string, path: string, body?: unknown, token = tokenOf("ada")) {
      return call(`${endpoints.adsApi}/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    },
    tokenOf,
    segment(changes: Record<string, unknown> = {}) {
      return {
        name: "VIP",
        source_type: "FIRST_PARTY",
        retention_in_days: 9_999,
        ad_account_id: adAccount.id,
        ...changes,
      };
    },
    authorizeUrl(changes: Record<string, string | undefined> = {}) {
      const params = {
        client_id: world.clientId,
        redirect_uri: "https://cdp.example/snapchat/callback",
        response_type: "code",
        scope: "snapchat-marketing-api snapchat-offline-conversions-api",
        state: "state-1",
        ...changes,
      };
      const url = new URL("/login/oauth2/authorize", endpoints.accounts);
      for (const [key, value] of Object.entries(params)) if (value !== undefined) url.searchParams.set(key, value);
      return url.href;
    },
    token(fields: Record<string, string>) {
      return call(`${endpoints.accounts}/login/oauth2/access_token`, {
        method: "POST",
        body: new URLSearchParams({ client_id: world.clientId, client_secret: world.clientSecret, ...fields }),
      });
    },
  };

  function tokenOf(person: string, scopes?: string[]): string {
    return simulator.control.issueToken({ person, ...(scopes ? { scopes } : {}) }).access_token;
  }
}
