import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createSnapchat, type Snapchat } from "snapchat-destination";
import { createSimulator, type Simulator } from "snapchat-destination/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { connectionKeys } from "../../../src/auth/connection.ts";
import type { Storage } from "../../../src/storage/ports.ts";
import { entered, purchase, shopWorkflow, signIn } from "../../snapchat/shop.ts";
import { type EngineName, engineUrl, makePlace, type OwnPlace, openPlace } from "../places.ts";
import type { Start } from "./child.ts";
import type { Kill } from "./kills.ts";

const CHILD = fileURLToPath(new URL("./child.ts", import.meta.url));
const CALLBACK = "http://127.0.0.1:8080/snapchat/callback";
const EVENTS = 30;

/** `renewed`: Snapchat gives new tokens, the old refresh token dies. `over`: it has taken the login back. */
export interface Case {
  kill: Kill;
  login: "renewed" | "over";
}

/** Real processes, killed while the login of what waits is renewed or lost. */
export async function describeKeptQueue(engine: EngineName, cases: readonly Case[]): Promise<void> {
  describe.skipIf(!(await engineUrl(engine)))(`a queue on ${engine}`, () => {
    let simulator: Simulator;
    let snapchat: Snapchat;
    let storage: Storage;
    let own: OwnPlace;
    let end: () => Promise<void>;
    let options: Start["options"];
    let id: string;
    let children: ChildProcess[];

    beforeEach(async () => {
      children = [];
      own = await makePlace(engine);
      simulator = await createSimulator({ knobs: { refreshToken: "rotated" } });
      simulator.world.redirectUris.add(CALLBACK);
      const { clientId, clientSecret } = simulator.world;
      options = {
        app: { clientId, clientSecret, redirectUri: CALLBACK },
        encryptionKeys: [randomBytes(32).toString("base64")],
        endpoints: simulator.endpoints,
        allowEndpoints: [simulator.url],
        // A claim of the killed process is over within two seconds instead of sixty.
        delivery: { leaseMs: 2_000, renewEveryMs: 500, requestTimeoutMs: 1_000, lingerMs: 0, memberLingerMs: 0 },
      };
      ({ storage, end } = openPlace(own.place));
      snapchat = createSnapchat({ ...options, storage });
      await sellWithoutWorker();
    });

    afterEach(async () => {
      for (const child of children) child.kill("SIGKILL");
      await snapchat.close();
      await end();
      await simulator.close();
      await own.remove();
    });

    /** A destination that has a login and no Conversions token, and events and a membership that wait for a worker. */
    async function sellWithoutWorker(): Promise<void> {
      const acme = snapchat.tenant("acme");
      ({ id } = await acme.destinations.create({ name: "Shop" }));
      await signIn({ simulator, snapchat }, "acme", id);
      const { adAccount, pixel, organization } = simulator.world.main;
      const chosen = { organizationId: organization.id, adAccountId: adAccount.id, pixelId: pixel.id };
      await acme.destinations.update(id, { ...chosen, workflow: shopWorkflow() });
      await acme.destinations.enable(id);
      for (let n = 0; n < EVENTS; n += 1)
        await acme.track([purchase(`kept-${n}`), entered("vip", `kept-${n}@shop.example`)]);
    }

    async function start(killAt?: Kill): Promise<{ child: ChildProcess; told: () => number }> {
      const task: Start = { place: own.place, options, ...(killAt ? { killAt } : {}) };
      const child = fork(CHILD, [JSON.stringify(task)], { execArgv: [] });
      children.push(child);
      let told = 0;
      child.on("message", (message) => {
        if (message === "reauth_required") told += 1;
      });
      await once(child, "message");
      return { child, told: () => told };
    }

    /** What the dead process held ends by itself after half a minute, or one: without the wait. */
    async function endLocks(): Promise<void> {
      const login = (await snapchat.tenant("acme").destinations.get(id)).connection?.id ?? "";
      for (const key of [connectionKeys.refreshLock, connectionKeys.tellLock])
        await storage.records.delete(key("acme", login));
    }

    const waiting = async () => (await storage.outbox.depth([id]))[0];
    const arrived = () => {
      const [segment] = simulator.inspect.segments();
      return {
        counted: simulator.inspect.events.counted,
        members: segment ? simulator.inspect.members(segment.id).EMAIL_SHA256.size : 0,
      };
    };

    it.each(cases)(
      "is kept where the process is killed $kill and the login is $login, and arrives exactly once",
      { timeout: 300_000 },
      async ({ kill, login }) => {
        simulator.control.revokeAccessTokens();
        if (login === "over") simulator.control.revokeRefreshTokens();
        const { child } = await start(kill);
        if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
        expect(child.signalCode).toBe("SIGKILL");
        expect(arrived()).toEqual({ counted: 0, members: 0 });
        await endLocks();

        const { told } = await start();
        // Between the answer and the write lies the one loss that nothing can prevent.
        if (login === "over" || kill === "between_answer_and_write") {
          await vi.waitUntil(() => told() > 0, { timeout: 120_000, interval: 50 });
          expect(arrived()).toEqual({ counted: 0, members: 0 });
          expect(await waiting()).toMatchObject({ items: 2 * EVENTS, dead: {} });
          await signIn({ simulator, snapchat }, "acme", id);
        }
        await vi.waitUntil(async () => (await waiting())?.items === 0 || (await waiting()) === undefined, {
          timeout: 120_000,
          interval: 100,
        });
        expect(arrived()).toEqual({ counted: EVENTS, members: EVENTS });
        expect(simulator.inspect.events).toMatchObject({ received: EVENTS, duplicates: 0, rejected: 0 });
        const ids = simulator.inspect.events.list({ outcome: "counted" }).map(({ eventId }) => eventId);
        expect(new Set(ids).size).toBe(EVENTS);
        expect((await snapchat.tenant("acme").deadLetters.list(id)).items).toEqual([]);
      },
    );
  });
}
