import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { createClient } from "redis";

/** Removes every key of a storage. */
export async function removeKeys(url: string, prefix: string): Promise<void> {
  const client = new Redis(url);
  let cursor = "0";
  do {
    const [next, keys] = await client.scan(cursor, "MATCH", `{${prefix}:*`, "COUNT", 1_000);
    cursor = next;
    if (keys.length > 0) await client.unlink(...keys);
  } while (cursor !== "0");
  client.disconnect();
}

export function freshPrefix(): string {
  return `test-${randomBytes(6).toString("hex")}`;
}

export async function nodeRedis(url: string) {
  const client = createClient({ url });
  client.on("error", () => {});
  return client.connect();
}
