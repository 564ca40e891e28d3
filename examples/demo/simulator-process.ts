import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A simulated Snapchat in a process of its own, steered over HTTP as any program in any language could. */
export interface SimulatorProcess {
  url: string;
  endpoints: { accounts: string; adsApi: string; conversions: string; pixelScript: string };
  clientId: string;
  clientSecret: string;
  adAccountId: string;
  pixelId: string;
  conversionsToken: string;
  get<T>(page: string): Promise<T>;
  post<T>(page: string, body: unknown): Promise<T>;
  stop(): Promise<void>;
}

/** Starts `snapchat-destination simulator` and waits until it prints where it listens. */
export async function startSimulator(redirectUri: string): Promise<SimulatorProcess> {
  const cli = fileURLToPath(new URL("../../dist/cli/bin.js", import.meta.url));
  const args = [cli, "simulator", "--port", "0", "--json", "--redirect-uri", redirectUri];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const onExit = () => child.kill();
  process.once("exit", onExit);
  const described = JSON.parse(await firstLine(child)) as Omit<SimulatorProcess, "get" | "post" | "stop">;

  async function call<T>(method: string, page: string, body?: unknown): Promise<T> {
    const response = await fetch(`${described.url}/__simulator/${page}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    const answer = (await response.json()) as T;
    if (!response.ok) throw new Error(`The simulator answered ${response.status} to ${page}.`);
    return answer;
  }

  return {
    ...described,
    get: (page) => call("GET", page),
    post: (page, body) => call("POST", page, body),
    stop: async () => {
      process.off("exit", onExit);
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill();
      await gone;
    },
  };
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (!child.stdout) return reject(new Error("The simulator has no output."));
    createInterface({ input: child.stdout }).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`The simulator ended with code ${code} before it listened.`)));
  });
}
