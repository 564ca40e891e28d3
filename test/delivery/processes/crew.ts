import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { DeliveryItem } from "../../../src/delivery/index.ts";
import type { FromProcess, Start } from "./messages.ts";

/** What each process runs. */
export const SCRIPT = fileURLToPath(new URL("worker-process.ts", import.meta.url));
/** A process that does not answer an append within this time is asked no more. Milliseconds. */
const PATIENCE_MS = 5_000;
/** Every break is over by then. Milliseconds. */
const GIVE_UP_MS = 60_000;

export interface Crew {
  /** Resolves once a process has acknowledged that all of it is stored. Repeated while none has. */
  append(items: DeliveryItem[]): Promise<void>;
  /** kill -9 of one; another one starts in its place. */
  kill(): Promise<void>;
  /** SIGSTOP of one, SIGCONT after `ms`. */
  freeze(ms: number): void;
  /** Waits for what is frozen, lets all finish and leave by themselves. */
  stop(): Promise<void>;
  /** Ends what is left, for a test that failed. */
  abandon(): void;
  readonly violations: string[];
  /** What workers met and went on after. */
  readonly troubles: Map<string, number>;
}

interface Member {
  process: ChildProcess;
  ready: Promise<unknown>;
  frozen: boolean;
  killed: boolean;
  exit: Promise<unknown>;
}

/** Processes that append and deliver on one engine; the n-th of them runs one of `scripts` in turn. */
export function createCrew(
  start: Start,
  size: number,
  random: () => number,
  scripts: readonly string[] = [SCRIPT],
): Crew {
  const members: Member[] = [];
  const thaws = new Set<Promise<void>>();
  const calls = new Map<number, (message: FromProcess | undefined) => void>();
  const violations: string[] = [];
  const troubles = new Map<string, number>();
  let nextCall = 0;
  let started = 0;
  let leaving = false;
  for (let n = 0; n < size; n++) add();

  function add(): void {
    const child = fork(scripts[started++ % scripts.length] ?? SCRIPT, [JSON.stringify(start)], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      execArgv: [],
      serialization: "advanced",
    });
    let stderr = "";
    child.stderr?.on("data", (data: Buffer) => {
      stderr += data.toString();
    });
    const exit = once(child, "exit");
    const member: Member = { process: child, ready: answered(child, "ready"), frozen: false, killed: false, exit };
    members.push(member);
    void exit.then(([code, signal]) => {
      if (!member.killed && !(leaving && code === 0)) violations.push(`a process ended: ${code ?? signal}\n${stderr}`);
    });
    child.on("message", (message: FromProcess) => {
      if (message.type === "stored" || message.type === "refused") calls.get(message.call)?.(message);
      if (message.type === "trouble") note(message.what);
      if (message.type === "refused") note(`append refused: ${message.code}`);
    });
  }

  const note = (what: string) => troubles.set(what, (troubles.get(what) ?? 0) + 1);
  const awake = () => members.filter(({ frozen, killed }) => !frozen && !killed);
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];

  async function ask(member: Member, items: DeliveryItem[]): Promise<boolean> {
    const call = nextCall++;
    await Promise.race([member.ready, member.exit]);
    let timer: NodeJS.Timeout | undefined;
    const answer = new Promise<FromProcess | undefined>((resolve) => {
      calls.set(call, resolve);
      timer = setTimeout(resolve, PATIENCE_MS, undefined);
      void member.exit.then(() => resolve(undefined));
      member.process.send({ type: "append", call, items }, (error) => error && resolve(undefined));
    });
    const message = await answer;
    clearTimeout(timer);
    calls.delete(call);
    return message?.type === "stored";
  }

  return {
    violations,
    troubles,
    async append(items) {
      const end = Date.now() + GIVE_UP_MS;
      for (;;) {
        if (Date.now() > end) violations.push(`nobody takes an append: ${JSON.stringify([...troubles])}`);
        if (violations.length > 0) throw new Error(violations.join("\n"));
        const member = pick(awake());
        if (member && (await ask(member, items))) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async kill() {
      const member = pick(awake());
      if (!member) return;
      member.killed = true;
      member.process.kill("SIGKILL");
      await member.exit;
      members.splice(members.indexOf(member), 1);
      add();
    },
    freeze(ms) {
      const member = pick(awake());
      if (!member) return;
      member.frozen = true;
      member.process.kill("SIGSTOP");
      const thaw = new Promise<void>((resolve) => {
        setTimeout(() => {
          member.process.kill("SIGCONT");
          member.frozen = false;
          resolve();
        }, ms);
      });
      thaws.add(thaw);
    },
    async stop() {
      await Promise.all(thaws);
      leaving = true;
      for (const { process } of members) process.send({ type: "stop" });
      await Promise.all(members.map(({ exit }) => exit));
    },
    abandon() {
      for (const member of members) {
        member.killed = true;
        member.process.kill("SIGKILL");
      }
    },
  };
}

function answered(child: ChildProcess, type: FromProcess["type"]): Promise<void> {
  return new Promise((resolve) => {
    child.on("message", (message: FromProcess) => {
      if (message.type === type) resolve();
    });
  });
}
