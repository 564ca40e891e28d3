import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createSnapchat, type Snapchat, setToggle } from "snapchat-destination";
import { createSimulator, type Simulator } from "snapchat-destination/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { purchase, shopWorkflow } from "../snapchat/shop.ts";
import type { Order, Start } from "./other-process.ts";
import { engineUrl, makePlace, type OwnPlace, openPlace } from "./places.ts";

const CHILD = fileURLToPath(new URL("./other-process.ts", import.meta.url));

describe.each([{ engine: "sqlite" }, { engine: "postgres" }] as const)(
  "two processes on $engine",
  async ({ engine }) => {
    if (!(await engineUrl(engine))) return void it.skip(`needs ${engine}`);
    let own: OwnPlace;
    let simulator: Simulator;
    let snapchat: Snapchat;
    let end: () => Promise<void>;
    let child: ChildProcess;

    beforeEach(async () => {
      own = await makePlace(engine);
      simulator = await createSimulator();
      const { clientId, clientSecret } = simulator.world;
      const options: Start["options"] = {
        app: { clientId, clientSecret, redirectUri: "http://127.0.0.1:8080/snapchat/callback" },
        encryptionKeys: [randomBytes(32).toString("base64")],
        endpoints: simulator.endpoints,
        allowEndpoints: [simulator.url],
      };
      const opened = openPlace(own.place);
      end = opened.end;
      snapchat = createSnapchat({ ...options, app: options.app as never, storage: opened.storage });
      const start: Start = { place: own.place, options };
      child = fork(CHILD, [JSON.stringify(start)], { execArgv: [] });
      await once(child, "message");
    });
    afterEach(async () => {
      child.kill("SIGKILL");
      await snapchat.close();
      await end();
      await simulator.close();
      await own.remove();
    });

    async function other(order: Order): Promise<unknown> {
      const answer = once(child, "message");
      child.send(order);
      return (await answer)[0];
    }

    async function shopOf(tenantId: string): Promise<string> {
      const { destinations } = snapchat.tenant(tenantId);
      const { id } = await destinations.create({ name: "Shop" });
      const { pixel, conversionsToken } = simulator.world.main;
      await destinations.update(id, { pixelId: pixel.id, conversionsToken, workflow: shopWorkflow() });
      await destinations.enable(id);
      return id;
    }

    it("hold a toggle, a switched-off destination and a suspended tenant in the one two seconds after the other changed it", async () => {
      const toggled = await shopOf("toggled");
      const disabled = await shopOf("disabled");
      await shopOf("suspended");
      let n = 0;
      const track = async () => {
        n += 1;
        const events = [purchase(`p-${n}`)];
        const of = (tenantId: string) => other({ do: "track", tenantId, events });
        return { toggled: await of("toggled"), disabled: await of("disabled"), suspended: await of("suspended") };
      };
      const sending = [["queued", "server queued", "client skipped"]];
      expect(await track()).toEqual({ toggled: sending, disabled: sending, suspended: sending });

      const workflow = setToggle(shopWorkflow(), "Purchased", { server: false, client: true });
      await snapchat.tenant("toggled").destinations.update(toggled, { workflow });
      await snapchat.tenant("disabled").destinations.disable(disabled);
      await snapchat.tenants.suspend("suspended");
      const until = performance.now() + 2_000;
      // Traffic goes on meanwhile, with the old settings or the new.
      while (performance.now() < until) await track();
      expect(await track()).toEqual({
        toggled: [["skipped", "server skipped", "client skipped"]],
        disabled: [["skipped", "server skipped"]],
        suspended: [["skipped", "server skipped"]],
      });
    });

    it("let one of two admins win, and tell the other version_conflict", async () => {
      const id = await shopOf("acme");
      const { destinations } = snapchat.tenant("acme");
      for (let round = 0; round < 5; round += 1) {
        const { version: expectedVersion } = await destinations.get(id);
        const [here, there] = await Promise.all([
          destinations
            .rename(id, `here ${round}`, { expectedVersion })
            .catch(({ code }: { code: string }) => ({ code })),
          other({ do: "rename", tenantId: "acme", id, name: `there ${round}`, expectedVersion }),
        ]);
        const lost = [here, there].filter((answer) => (answer as { code?: string }).code === "version_conflict");
        expect(lost).toHaveLength(1);
        const winner = (lost[0] === here ? there : here) as { name: string };
        expect((await destinations.get(id)).name).toBe(winner.name);
      }
      const { items } = await snapchat.tenant("acme").audit.list({ destinationId: id });
      const renames = items.filter(({ detail }) => detail.changed === "name");
      expect(renames).toHaveLength(5);
    });
  },
);
