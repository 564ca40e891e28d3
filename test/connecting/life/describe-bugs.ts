import type { createSnapchat } from "snapchat-destination";
import { describe, expect, it } from "vitest";
import { plantRooms } from "../../delivery/checker/plant.ts";
import { BUGS } from "./bugs.ts";
import { runHistory } from "./history.ts";

/** Plants one bug after the other; lives that are fine without it have to find each. */
export function describeBugs(names: readonly (keyof typeof BUGS)[], o: { seeds: number }): void {
  describe("a planted bug of a destination's life is found", { timeout: 300_000 }, () => {
    it.each(names)("%s", async (name) => {
      const { load, remove } = plantRooms(["snapchat.ts", "snapchat", "destinations"], [BUGS[name]]);
      try {
        const { createSnapchat: create } = await load<{ createSnapchat: typeof createSnapchat }>("snapchat.ts");
        let found: string | undefined;
        for (let seed = 1; seed <= o.seeds && found === undefined; seed += 1) {
          found = (await runHistory({ seed, create })).violations[0];
        }
        expect(found).toBeDefined();
      } finally {
        remove();
      }
    });
  });
}
