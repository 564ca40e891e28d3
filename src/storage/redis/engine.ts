import { createHash } from "node:crypto";
import { SnapchatError } from "../../errors.ts";
import { closedError } from "../errors.ts";
import { schemaTooNew } from "../schema.ts";
import { type Arg, type RedisClient, senderOf } from "./client.ts";
import { missingRights, noAnswer, redisFailure } from "./failure.ts";
import { JOURNAL } from "./lua/journal.ts";
import { KEEPING } from "./lua/keeping.ts";
import { MEMBER_SCRIPTS } from "./lua/members.ts";
import { COMMANDS, META } from "./lua/meta.ts";
import { OUTBOX } from "./lua/outbox.ts";
import { RECORD_SCRIPTS } from "./lua/records.ts";
import { SLOTS } from "./lua/slots.ts";

const SCRIPTS = { ...META, ...RECORD_SCRIPTS, ...OUTBOX, ...KEEPING, ...MEMBER_SCRIPTS, ...JOURNAL, ...SLOTS };
type Script = keyof typeof SCRIPTS;

/** Rises with a change that an older version of the package could not live with. */
export const SCHEMA = 1;

export interface EngineOptions {
  prefix: string;
  partitions: number;
  timeoutMs: number;
  clock?: { now(): number };
}

const digests = new Map<Script, string>();

function digestOf(script: Script): string {
  let digest = digests.get(script);
  if (digest === undefined) {
    digest = createHash("sha1").update(SCRIPTS[script]).digest("hex");
    digests.set(script, digest);
  }
  return digest;
}

/** Runs scripts on the host's client: by digest, with the text where the server has forgotten it. */
export class Engine {
  readonly sender;
  readonly options: EngineOptions;
  #migrated: Promise<void> | undefined;
  #closed = false;

  constructor(client: RedisClient, options: EngineOptions) {
    this.sender = senderOf(client);
    this.options = options;
  }

  /** The key that a partition's keys share their hash tag with. */
  partition(port: "meta" | "records" | "outbox" | "members" | "journal" | "slots", number = 0): string {
    return `{${this.options.prefix}:${port}:${number}}`;
  }

  /** All partitions' numbers. */
  get numbers(): number[] {
    return Array.from({ length: this.options.partitions }, (_, number) => number);
  }

  /** The partition a text belongs to, the same in every process. */
  numberOf(text: string): number {
    if (this.options.partitions === 1) return 0;
    const digest = createHash("sha1").update(text).digest();
    return digest.readUInt32BE(0) % this.options.partitions;
  }

  async run(script: Script, partition: string, args: readonly (Arg | number)[]): Promise<unknown> {
    await this.migrate();
    return this.#run(script, partition, args);
  }

  /** Writes down what this storage is, or finds that it is what it should be. Once for the process, unless it fails. */
  async migrate(): Promise<void> {
    if (this.#closed) throw closedError("redis");
    this.#migrated ??= this.#migrate();
    try {
      await this.#migrated;
    } catch (error) {
      this.#migrated = undefined;
      throw error;
    }
    if (this.#closed) throw closedError("redis");
  }

  close(): void {
    this.#closed = true;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Time of a partition's node, and which commands of the scripts its user may not run. */
  async probe(partition: string): Promise<{ now: number; missing: string[] }> {
    const [now, refused] = (await this.#run("probe", partition, COMMANDS)) as [number, Buffer[]];
    const words = refused.map(String).filter((answer) => /NOPERM|can't run|unknown command/i.test(answer));
    return { now, missing: [...new Set(words.map((answer) => answer.split(":", 1)[0] ?? ""))] };
  }

  async #migrate(): Promise<void> {
    const { partitions } = this.options;
    // Asked before the first write: a script that is refused in its middle leaves half of its work.
    const { missing } = await this.probe(this.partition("outbox"));
    if (missing.length > 0) throw missingRights({ missing: missing.join(" ") });
    const [schema, found] = (await this.#run("migrate", this.partition("meta"), [SCHEMA, partitions])) as Buffer[];
    if (Number(schema) > SCHEMA) throw schemaTooNew(Number(schema), SCHEMA);
    if (Number(found) !== partitions) throw partitionsDiffer(Number(found), partitions);
  }

  async #run(script: Script, partition: string, args: readonly (Arg | number)[]): Promise<unknown> {
    const { clock } = this.options;
    const now = clock ? String(Math.floor(clock.now())) : "";
    const rest = ["1", partition, now, ...args.map((arg) => (typeof arg === "number" ? String(arg) : arg))];
    try {
      return await this.#send(partition, ["EVALSHA", digestOf(script), ...rest]);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes("NOSCRIPT")) throw this.#failure(error);
    }
    try {
      return await this.#send(partition, ["EVAL", SCRIPTS[script], ...rest]);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #failure(error: unknown): Error {
    return error instanceof SnapchatError ? error : redisFailure(error, this.sender.ended());
  }

  /** A client may keep a command for as long as it has no connection; a caller is answered. */
  async #send(key: string, args: readonly Arg[]): Promise<unknown> {
    const { timeoutMs } = this.options;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(noAnswer(timeoutMs)), timeoutMs);
    });
    try {
      return await Promise.race([this.sender.send(key, args), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function partitionsDiffer(found: number, wanted: number): SnapchatError {
  return new SnapchatError({
    code: "partitions_differ",
    kind: "fix_configuration",
    message: `The storage in Redis was made with ${found} partitions, not ${wanted}.`,
    fix: `Call redis() with \`partitions: ${found}\`; the number stays what it was when the storage was made.`,
    details: { found, wanted },
  });
}
