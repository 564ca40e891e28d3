import { describe, expect, it } from "vitest";
import { eventsGroup, groupOf, membersGroup, parseGroup } from "../../../src/delivery/item.ts";
import { event, member } from "../support.ts";

describe("a group", () => {
  it("is named by the asset or the link", () => {
    expect([eventsGroup("p"), membersGroup("l")]).toEqual(["events/p", "members/l"]);
    expect([groupOf(event(1)), groupOf(member(1, "add"))]).toEqual(["events/pixel-1", "members/vip"]);
  });

  it.each([
    ["events/pixel-1", { type: "event", of: "pixel-1" }],
    ["members/vip", { type: "member", of: "vip" }],
    ["events/members/x", { type: "event", of: "members/x" }],
    ["events", undefined],
    ["later/events/x", undefined],
    ["", undefined],
  ])("says by its name what it holds: %s", (name, holds) => expect(parseGroup(name)).toEqual(holds));
});
