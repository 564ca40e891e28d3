import { definePlugin, type SnapchatEvents, setToggle } from "snapchat-destination";
import type { Workflow } from "snapchat-destination/workflow";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { createSkipShare, type SkipAlarm } from "../../src/snapchat/skip-share.ts";
import { openShop, purchase, type Shop } from "./shop.ts";

const WINDOW_MS = 3_600_000;
const STEP_MS = 60_000;

/** A destination's traffic, minute by minute. */
function traffic() {
  let nowMs = 0;
  const alarms: (SkipAlarm & { atMs: number })[] = [];
  const clock = { ...systemClock, monotonic: () => nowMs };
  const share = createSkipShare({ clock, alarm: (alarm) => alarms.push({ ...alarm, atMs: nowMs }) });
  const of = { tenantId: "acme", destinationId: "d1" };
  const part = (rule: string, reason?: string) => ({
    destinationId: "d1",
    rule,
    channel: "server" as const,
    target: "",
    status: reason ? ("skipped" as const) : ("queued" as const),
    ...(reason ? { reason } : {}),
  });
  return {
    alarms,
    share,
    now: () => nowMs,
    /** `perMinute` events of each rule, for so many minutes. */
    run(minutes: number, rules: Record<string, { perMinute: number; skipped?: string; unmapped?: string }>) {
      for (let minute = 0; minute < minutes; minute++, nowMs += STEP_MS) {
        for (const [rule, { perMinute, skipped, unmapped }] of Object.entries(rules)) {
          for (let n = 0; n < perMinute; n++) {
            if (unmapped) share.note(of, [part("", "unknown_event")], unmapped);
            else share.note(of, [part(rule, skipped)]);
          }
        }
      }
    },
  };
}

describe("the skip-share alarm", () => {
  it.each([
    ["a toggle switched off", "rule_disabled"],
    ["a mistyped consent name", "consent_absent"],
    ["a filter that no event meets any more", "filter_not_met"],
  ])("tells of %s within the window, once, and of no other rule", (_, reason) => {
    const { alarms, run, now } = traffic();
    run(150, { viewed: { perMinute: 50 }, bought: { perMinute: 2 } });
    expect(alarms).toEqual([]);
    const changedAt = now();
    run(60, { viewed: { perMinute: 50 }, bought: { perMinute: 2, skipped: reason } });
    expect(alarms).toMatchObject([{ tenantId: "acme", destinationId: "d1", rule: "bought", reason, before: 0 }]);
    expect(alarms[0]?.now).toBeGreaterThanOrEqual(0.3);
    expect((alarms[0]?.atMs ?? 0) - changedAt).toBeLessThanOrEqual(WINDOW_MS);
  });

  it("tells of a renamed event within the window, with the name that came up instead", () => {
    const { alarms, run, now } = traffic();
    run(125, { viewed: { perMinute: 50 }, bought: { perMinute: 3 }, spun: { perMinute: 4, unmapped: "wheel_spun" } });
    const changedAt = now();
    run(60, {
      viewed: { perMinute: 50 },
      bought: { perMinute: 3, unmapped: "Order placed" },
      spun: { perMinute: 4, unmapped: "wheel_spun" },
    });
    expect(alarms[0]).toMatchObject({ rule: "bought", reason: "event_renamed", suspect: "Order placed" });
    expect((alarms[0]?.atMs ?? 0) - changedAt).toBeLessThanOrEqual(WINDOW_MS);
    expect(new Set(alarms.map(({ rule }) => rule))).toEqual(new Set(["bought"]));
  });

  it("tells of events that stop coming while the others go on, and not of a quiet night", () => {
    const stopped = traffic();
    stopped.run(130, { viewed: { perMinute: 10 }, bought: { perMinute: 2 } });
    stopped.run(90, { viewed: { perMinute: 10 } });
    expect(stopped.alarms).toMatchObject([{ rule: "bought", reason: "event_missing" }]);
    const quiet = traffic();
    quiet.run(130, { viewed: { perMinute: 10 }, bought: { perMinute: 2 } });
    quiet.run(300, { viewed: { perMinute: 1 } });
    expect(quiet.alarms).toEqual([]);
  });

  it("is silent about a steady share, a rare rule, a rule that is born off and one that comes back", () => {
    const { alarms, run } = traffic();
    const steady = {
      half: { perMinute: 2, skipped: "consent_denied" },
      off: { perMinute: 5, skipped: "rule_disabled" },
    };
    run(200, { viewed: { perMinute: 20 }, ...steady });
    run(10, { viewed: { perMinute: 20 }, rare: { perMinute: 1, skipped: "rule_disabled" }, ...steady });
    run(100, { viewed: { perMinute: 20 }, half: { perMinute: 2 }, off: { perMinute: 5 } });
    expect(alarms).toEqual([]);
  });

  it("holds no more than it must, whatever names and destinations there are", () => {
    const { run, share } = traffic();
    for (let n = 0; n < 500; n++) run(1, { x: { perMinute: 1, unmapped: `made up ${n}` } });
    run(5, { bought: { perMinute: 2, skipped: "rule_disabled" } });
    expect(share.shares("d1")).toEqual([{ rule: "bought", offered: 10, skipped: { rule_disabled: 10 } }]);
    expect(share.shares("nobody")).toEqual([]);
  });
});

describe("the alarm in the composition", () => {
  it("reaches the host's listener and its notify hook when a marketer switches the wrong toggle", async () => {
    let aheadMs = 0;
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + aheadMs };
    const told: unknown[] = [];
    const heard: SnapchatEvents["skip_share"][] = [];
    const pager = definePlugin({ name: "pager", notify: (notification) => void told.push(notification) });
    const shop: Shop = await openShop({ clock, plugins: [pager], skipShareWindowMs: 600_000 });
    shop.snapchat.on("skip_share", (event) => heard.push(event));
    const minutes = async (from: number, count: number) => {
      for (let n = from; n < from + count; n++, aheadMs += 60_000) {
        await shop.acme.track(Array.from({ length: 5 }, (_, k) => purchase(`${n}.${k}`)));
      }
    };
    await minutes(0, 22);
    expect(heard).toEqual([]);
    const { workflow } = await shop.acme.destinations.get(shop.id);
    const off = setToggle(workflow as Workflow, "Purchased", { server: false, client: false });
    await shop.acme.destinations.update(shop.id, { workflow: off });
    await minutes(22, 11);
    expect(heard).toMatchObject([{ destinationId: shop.id, rule: "purchased", reason: "rule_disabled" }]);
    expect(told).toMatchObject([{ type: "skip_share", tenantId: "acme", details: { rule: "purchased" } }]);
    expect(JSON.stringify([heard, told])).not.toContain("jane");
    await shop.close();
  });
});
