import { jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { type HostSettings, openSnapchat } from "../queue-shop.ts";
import { consume } from "./consume.ts";
import { partitionsOf, type Queue } from "./queue.ts";

/** One of any number of processes that work the queue off. SIGTERM lets it finish what it has in hand. */
const settings: HostSettings & { nats: string; queue: Queue } = JSON.parse(process.argv[2] ?? "");
const { nats, queue, ...host } = settings;
const snapchat = openSnapchat(host);
const connection = await connect({ servers: nats });
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());

const options = { jetstream: jetstream(connection), queue, snapchat, signal: stop.signal };
await Promise.all(partitionsOf(queue).map((partition) => consume(partition, options)));
await connection.drain();
await snapchat.close();
