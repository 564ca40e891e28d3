import { existsSync } from "node:fs";
import { connect } from "node:net";
import { delimiter, join } from "node:path";

type Service = "postgres" | "redis" | "nats" | "chromium";

const SERVICES: Record<Service, { variable: string; usual: string; start: string }> = {
  postgres: {
    variable: "DATABASE_URL",
    usual: "postgres://postgres@127.0.0.1:5432/postgres",
    start: "docker run -p 5432:5432 -e POSTGRES_HOST_AUTH_METHOD=trust postgres",
  },
  redis: { variable: "REDIS_URL", usual: "redis://127.0.0.1:6379", start: "redis-server" },
  nats: { variable: "NATS_URL", usual: "nats://127.0.0.1:4222", start: "nats-server -js" },
  chromium: { variable: "CHROMIUM_PATH", usual: "/usr/bin/chromium", start: "apt-get install chromium" },
};

/**
 * Where a service of the machine answers (for chromium: the path of the program). Otherwise one line says what is
 * missing and how to start it, and the tests that need it are skipped (`describe.skipIf(!url)`); with
 * `REQUIRE_SERVICES=1` this throws instead.
 */
export async function serviceUrl(service: Service): Promise<string | undefined> {
  const { variable, usual, start } = SERVICES[service];
  const place = process.env[variable] ?? usual;
  const there = service === "chromium" ? existsSync(place) : await answers(new URL(place));
  return there ? place : missing(`${service} does not answer at ${place}`, `${start}, or set ${variable}`);
}

/**
 * The path of an installed program, for tests that start a server of their own. `places` are further directories, the
 * last one first. The same rule as for {@link serviceUrl} when there is none.
 */
export function installed(program: string, places: readonly string[] = []): string | undefined {
  const path = (process.env.PATH ?? "").split(delimiter);
  const found = [...places.toReversed(), ...path, "/usr/sbin", "/usr/local/sbin"]
    .map((directory) => join(directory, program))
    .find((file) => existsSync(file));
  return found ?? missing(`${program} is not installed`, `install it where PATH finds it`);
}

function missing(what: string, remedy: string): undefined {
  const line = `${what}: its tests are skipped. To run them: ${remedy}.`;
  if (process.env.REQUIRE_SERVICES === "1") throw new Error(line.replace("are skipped", "cannot run"));
  console.warn(line);
  return undefined;
}

function answers({ hostname, port }: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: 10_000 });
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", end(true)).once("error", end(false)).once("timeout", end(false));
  });
}
