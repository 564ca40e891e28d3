/** A value of a command: text or bytes. */
export type Arg = string | Buffer;

/** What is used of ioredis: a `Redis` or a `Cluster`, of version 5 or later. */
export interface IoredisClient {
  readonly status: string;
  /** Any command, answered as buffers. */
  callBuffer(command: string, ...args: (string | Buffer | number)[]): Promise<unknown>;
}

interface IoredisCluster extends IoredisClient {
  nodes(role: "master"): IoredisClient[];
}

/** What is used of node-redis: what `createClient` answers, of version 5 or later. */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  /** Any command. */
  sendCommand(
    args: readonly (string | Buffer)[],
    options?: { typeMapping?: Record<number, unknown> },
  ): Promise<unknown>;
}

/** What is used of node-redis: what `createCluster` answers, of version 5 or later. */
export interface NodeRedisCluster {
  readonly isOpen: boolean;
  readonly masters: readonly unknown[];
  /** The client of one master. */
  nodeClient(master: never): NodeRedisClient | Promise<NodeRedisClient>;
  /** Any command, to the node of the first key. */
  sendCommand(
    firstKey: string | Buffer | undefined,
    isReadonly: boolean | undefined,
    args: readonly (string | Buffer)[],
    options?: { typeMapping?: Record<number, unknown> },
  ): Promise<unknown>;
}

/** A Redis client of the host's. It stays the host's: connected, configured and closed by it. */
export type RedisClient = IoredisClient | NodeRedisClient | NodeRedisCluster;

/** One way to send a command, whatever the client. Answers hold text as bytes. */
export interface Sender {
  /** `key` decides the node of a cluster. */
  send(key: string | undefined, args: readonly Arg[]): Promise<unknown>;
  /** True once the host has closed its client. */
  ended(): boolean;
  /** Every node that takes writes; one without a cluster. */
  nodes(): Promise<Pick<Sender, "send">[]>;
}

/** "$", the bulk string of the protocol, answered as bytes. */
const BYTES = { typeMapping: { 36: Buffer } };

export function senderOf(client: RedisClient): Sender {
  if ("callBuffer" in client) return ofIoredis(client);
  return "masters" in client ? ofNodeRedisCluster(client) : ofNodeRedis(client);
}

function ofIoredis(client: IoredisClient): Sender {
  const sender: Sender = {
    send: (_key, [command = "", ...args]) => client.callBuffer(String(command), ...args),
    ended: () => client.status === "end",
    nodes: async () => ("nodes" in client ? (client as IoredisCluster).nodes("master").map(ofIoredis) : [sender]),
  };
  return sender;
}

function ofNodeRedis(client: NodeRedisClient): Sender {
  const sender: Sender = {
    send: (_key, args) => client.sendCommand(args, BYTES),
    ended: () => !client.isOpen,
    nodes: async () => [sender],
  };
  return sender;
}

function ofNodeRedisCluster(client: NodeRedisCluster): Sender {
  return {
    send: (key, args) => client.sendCommand(key, false, args, BYTES),
    ended: () => !client.isOpen,
    nodes: () =>
      Promise.all(client.masters.map(async (master) => ofNodeRedis(await client.nodeClient(master as never)))),
  };
}
