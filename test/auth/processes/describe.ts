import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectionAad, connectionKeys, type StoredConnection } from "../../../src/auth/connection.ts";
import { createSealer, createVault, type Vault } from "../../../src/auth/index.ts";
import { createSealedRecords } from "../../../src/auth/sealed-records.ts";
import { systemClock } from "../../../src/clock.ts";
import { Secret } from "../../../src/errors.ts";
import type { Storage } from "../../../src/storage/ports.ts";
import { createSimulator, type Simulator } from "../../../src/testing/simulator/index.ts";
import { type EngineName, engineUrl, makePlace, type OwnPlace, openPlace } from "../../connecting/places.ts";
import { KEY, REDIRECT_URI } from "../support.ts";
import type { Task } from "./child.ts";

const CHILD = fileURLToPath(new URL("./child.ts", import.meta.url));

/**
 * Real processes on one engine that need the token at the moment it expires. `kills`: with which kinds of refresh token
 * one of them is killed, at each of three points.
 */
export async function describeRefreshing(
  engine: EngineName,
  o: { rounds: number; kills: readonly ("same" | "rotated")[] },
): Promise<void> {
  const { rounds, kills } = o;
  describe.skipIf(!(await engineUrl(engine)))(`eight processes on one database of ${engine}`, () => {
    let simulator: Simulator;
    let storage: Storage;
    let relay: Server;
    let own: OwnPlace;
    let end: () => Promise<void>;
    let vault: Vault;
    let seen: { inFlight: number; most: number; succeeded: number; asked: number };
    let children: ChildProcess[];

    beforeEach(async () => {
      simulator = await createSimulator({ listen: false });
      own = await makePlace(engine);
      ({ storage, end } = openPlace(own.place));
      vault = createVault({
        records: storage.records,
        sealer: createSealer({ keys: [KEY] }),
        apps: { default: app() },
      });
      seen = { inFlight: 0, most: 0, succeeded: 0, asked: 0 };
      children = [];
      relay = createServer(async (request, response) => {
        seen.asked += 1;
        seen.inFlight += 1;
        seen.most = Math.max(seen.most, seen.inFlight);
        try {
          const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
          const type = request.headers["content-type"] ?? "";
          const url = new URL(request.url ?? "/", simulator.endpoints.accounts);
          const answer = await simulator.fetch(url, { method: "POST", headers: { "content-type": type }, body });
          if (answer.status === 200) seen.succeeded += 1;
          const text = await answer.text();
          seen.inFlight -= 1;
          response.writeHead(answer.status, { "content-type": "application/json" }).end(text);
        } catch {
          seen.inFlight -= 1;
          request.socket.destroy();
        }
      });
      await once(relay.listen(0, "127.0.0.1"), "listening");
    });

    afterEach(async () => {
      for (const child of children) child.kill("SIGKILL");
      relay.closeAllConnections();
      relay.close();
      await simulator.close();
      await end();
      await own.remove();
    });

    function app() {
      const { clientId, clientSecret } = simulator.world;
      return { clientId, clientSecret, redirectUri: REDIRECT_URI };
    }

    async function start(o: Pick<Task, "killAt" | "lease"> = {}): Promise<ChildProcess> {
      const accounts = `http://127.0.0.1:${(relay.address() as AddressInfo).port}`;
      const task: Task = { place: own.place, key: KEY, accounts, app: app(), ...o };
      const child = fork(CHILD, [JSON.stringify(task)], {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
        execArgv: [],
      });
      children.push(child);
      await once(child, "message");
      return child;
    }

    type Answer = { version: number; digest: string } | { code: string };

    async function ask(child: ChildProcess): Promise<Answer> {
      const answer = once(child, "message");
      child.send("go");
      return (await answer)[0] as Answer;
    }

    async function login(): Promise<void> {
      const tokens = simulator.control.issueToken();
      await vault.connections.save("acme", {
        id: "c1",
        tokens: {
          accessToken: new Secret(tokens.access_token),
          refreshToken: new Secret(tokens.refresh_token),
          expiresInMs: 3_600_000,
          scopes: undefined,
        },
      });
    }

    /** The token's hour is over, without the hour. */
    async function expire(): Promise<void> {
      const sealed = createSealedRecords(storage.records, createSealer({ keys: [KEY] }), systemClock);
      const [key, aad] = [connectionKeys.one("acme", "c1"), connectionAad("acme", "c1")];
      const found = await sealed.get<StoredConnection>(key, aad);
      if (!found) throw new Error("There is no login.");
      await sealed.put(key, aad, { ...found.value, expiresAtMs: 0, refreshedAtMs: 0 }, found.version);
    }

    it.each(["same", "rotated"] as const)(
      `refresh once a round in ${rounds} rounds, a fifth of the answers failing (%s refresh token)`,
      { timeout: 120_000 + rounds * 3_000 },
      async (refreshToken) => {
        simulator.knobs.refreshToken = refreshToken;
        simulator.faults.add({ area: "accounts", status: 503, probability: 0.1, seed: 1 });
        simulator.faults.add({ area: "accounts", reset: true, probability: 0.1, seed: 2 });
        simulator.knobs.latencyMs = 5;
        const all = await Promise.all(Array.from({ length: 8 }, () => start()));
        await login();
        for (let round = 1; round <= rounds; round += 1) {
          await expire();
          const answers = await Promise.all(all.map(ask));
          expect([...new Set(answers.map((answer) => JSON.stringify(answer)))], `round ${round}`).toHaveLength(1);
          expect(answers[0]).toMatchObject({ version: round + 1 });
          expect(seen.succeeded).toBe(round);
        }
        expect(seen.most).toBe(1);
        expect(seen.asked).toBeGreaterThan(rounds);
      },
    );

    // Four seconds instead of thirty: long enough for a busy machine to answer in, short enough to wait for.
    const lease = { lockMs: 4_000, requestMs: 2_500 };
    for (const killAt of ["before_request", "between_answer_and_write", "after_write"] as const) {
      it.each(kills)(
        `survive that one is killed ${killAt.replaceAll("_", " ")} (%s refresh token)`,
        { timeout: 120_000 },
        async (refreshToken) => {
          simulator.knobs.refreshToken = refreshToken;
          await login();
          await expire();
          const [dying, ...others] = await Promise.all([start({ killAt, lease }), start({ lease }), start({ lease })]);
          const dead = once(dying as ChildProcess, "exit");
          dying?.send("go");
          await dead;
          const answers = await Promise.all(others.map(ask));
          const between = killAt === "between_answer_and_write";
          const lost = between && refreshToken === "rotated";
          for (const answer of answers)
            expect(answer).toMatchObject(lost ? { code: "reauth_required" } : { version: 2 });
          expect(seen.succeeded).toBe(between && !lost ? 2 : 1);
          // No loop: whoever asks again is answered from what is stored.
          const asked = seen.asked;
          expect(asked).toBeLessThanOrEqual(2);
          await Promise.all(others.map(ask));
          expect(seen.asked).toBe(asked);
        },
      );
    }
  });
}
