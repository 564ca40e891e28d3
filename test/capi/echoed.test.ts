import { describe, expect, it } from "vitest";
import { AccountsClient } from "../../src/auth/index.ts";
import type { SnapEvent } from "../../src/capi/index.ts";
import { SnapchatError } from "../../src/errors.ts";
import { withoutSent } from "../../src/http/without-sent.ts";
import { digest, setup } from "../audiences/setup.ts";
import { NOW_MS } from "./events.ts";
import { setUp } from "./snapchat.ts";

const DEVICE = {
  client_user_agent: "Mozilla/5.0 (EchoPhone; CPU 7.7) Shop/1.0",
  client_ip_address: "203.0.113.77",
  sc_click_id: "echo-click-id-0123456789",
  sc_cookie1: "echo-cookie-0123456789",
};
const PAGE = "https://shop.example/echo-page";

const event = (id: string, agent = DEVICE.client_user_agent): SnapEvent => ({
  event_name: "VIEW_CONTENT",
  event_time: new Date(NOW_MS - 1_000),
  event_id: id,
  action_source: "WEB",
  event_source_url: PAGE,
  user_data: { em: "jane@example.com", ...DEVICE, client_user_agent: agent },
  custom_data: { search_string: "gifts for Zephyrine" },
});

function leftIn(told: unknown, token: string): string[] {
  const text = JSON.stringify(told).toLowerCase();
  const values = [...Object.values(DEVICE), PAGE, "gifts for Zephyrine", token].map((value) => value.toLowerCase());
  return values.flatMap((value) => [value, encodeURIComponent(value)]).filter((form) => text.includes(form));
}

describe("an answer that says back what was sent", () => {
  it("is kept with the names of the fields, in every dress", async () => {
    const { client, simulator, pixel, token } = await setUp();
    const told = async (reason: string) => {
      const fault = simulator.faults.add({ status: 400, body: { status: "INVALID", reason } });
      const { outcomes } = await client.send(pixel, [event("a")], { token });
      fault.remove();
      expect(leftIn(outcomes, token)).toEqual([]);
      return outcomes[0]?.message;
    };
    const { client_user_agent: agent, sc_click_id: click, sc_cookie1: cookie } = DEVICE;
    expect(await told(`Bad agent ${agent}.`)).toBe("Bad agent [client_user_agent].");
    expect(await told(`Bad agent ${agent.toLowerCase()}.`)).toBe("Bad agent [client_user_agent].");
    expect(await told(`Bad agent ${encodeURIComponent(agent)}.`)).toBe("Bad agent [client_user_agent].");
    expect(await told(`Bad agent ${agent.slice(0, 30)}`)).toBe("Bad agent [client_user_agent]");
    expect(await told(`${click} and ${cookie} from ${DEVICE.client_ip_address} on ${PAGE}?a=b`)).toBe(
      "[sc_click_id] and [sc_cookie1] from [client_ip_address] on [event_source_url]?[redacted]",
    );
    expect(await told(`Token ${token}, gifts for Zephyrine`)).toBe("Token [access_token], [search_string]");
    expect(await told("VIEW_CONTENT a: WEB needs a value")).toBe("VIEW_CONTENT a: WEB needs a value");
  });

  it("is kept where a value holds half of a surrogate pair", () => {
    const body = JSON.stringify({ data: [{ custom_data: { search_string: "gifts for \ud83c Zephyrine" } }] });
    const said = withoutSent({ url: "https://tr.snapchat.com/v3/1/events", body });
    expect(said("Bad gifts for \ufffd Zephyrine.")).toBe("Bad [search_string].");
  });

  it("is kept so event by event, as a warning, as a code, and for the events beside", async () => {
    const { client, simulator, pixel, token } = await setUp();
    const words = `${DEVICE.client_user_agent} / Other/2.0 (Tablet) / ${token}`;
    const log = { status: "INVALID", errors: { error_msgs: [words], codes: [DEVICE.sc_click_id] }, warnings: [words] };
    const event_logs = [1, 2].map((number) => ({ event: number, ...log }));
    simulator.faults.add({ status: 400, body: { status: "INVALID", event_logs } });
    const events = [event("a"), event("b", "Other/2.0 (Tablet)")];
    const safe = "[client_user_agent] / [client_user_agent] / [access_token]";
    const { outcomes } = await client.send(pixel, events, { token });
    expect(outcomes).toMatchObject([1, 2].map(() => ({ status: "rejected", message: safe, code: "[sc_click_id]" })));
    const verdicts = await client.validate(pixel, events, { token });
    expect(verdicts.map(({ snapchat }) => snapchat)).toMatchObject(
      [1, 2].map(() => ({ message: safe, warnings: [safe], code: "[sc_click_id]" })),
    );
  });

  it("is about the token where it was, whatever an event held", async () => {
    const { client, simulator, pixel, token } = await setUp();
    const event_logs = [
      { event: 1, status: "INVALID", reason: "invalid token" },
      { event: 2, status: "VALID" },
    ];
    simulator.faults.add({ status: 400, body: { status: "INVALID", event_logs }, count: 1 });
    const tricky = { ...event("a"), custom_data: { search_string: "invalid" } } as SnapEvent;
    const { outcomes } = await client.send(pixel, [tricky, event("b")], { token });
    expect(outcomes[0]).toMatchObject({ status: "unauthorized", message: "[search_string] token" });
  });

  it("names no member and no token in an error of the Marketing API", async () => {
    const { simulator, client, call, account } = await setup();
    const token = call.token.reveal();
    const words = `Bad ${digest(7)} for ${token}`;
    const body = { request_status: "ERROR", debug_message: words, error_code: token };
    simulator.faults.add({ area: "ads", status: 400, body, count: 1 });
    const refused = await client.members.add("123", "email", [digest(7)], call).catch((error) => error);
    expect(refused).toBeInstanceOf(SnapchatError);
    expect(refused.details).toMatchObject({ said: "Bad [redacted] for [access_token]", errorCode: "[access_token]" });
    const part = { sub_request_status: "ERROR", sub_request_error_reason: `Error code: E1001, message: ${words}` };
    simulator.faults.add({ area: "ads", status: 200, body: { request_status: "SUCCESS", segments: [part] } });
    const partial = await client.segments.get("123", call).catch((error) => error);
    expect(partial.details).toMatchObject({ said: "Bad [redacted] for [access_token]" });
    simulator.faults.clear();
    simulator.faults.add({ area: "ads", status: 200, body: { request_status: "SUCCESS", adaccounts: [part] } });
    const accounts = new AccountsClient({ endpoints: simulator.endpoints, fetch: simulator.fetch });
    const pages = accounts.adAccounts({ organizationId: account }, { token: call.token }).pages();
    const [page] = await Array.fromAsync(pages);
    expect(page?.failures).toEqual([{ code: "E1001", message: "Bad [redacted] for [access_token]" }]);
  });
});
