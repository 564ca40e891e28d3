import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { SimulatorEndpoints } from "../src/testing/simulator/index.ts";

/** The simulator in a process of its own, so that its work is not counted as ours. */
export interface SimulatorProcess {
  url: string;
  endpoints: SimulatorEndpoints;
  pixelId: string;
  token: string;
  /** Events it has counted so far. */
  counted(): Promise<number>;
  end(): Promise<void>;
}

export async function startSimulator(): Promise<SimulatorProcess> {
  const child = fork(fileURLToPath(new URL("simulator-process.ts", import.meta.url)));
  const [ready] = (await once(child, "message")) as [Omit<SimulatorProcess, "counted" | "end">];
  return {
    ...ready,
    async counted() {
      child.send("count");
      const [events] = (await once(child, "message")) as [number];
      return events;
    },
    async end() {
      child.send("end");
      await once(child, "exit");
    },
  };
}
