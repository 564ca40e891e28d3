import { needs } from "../needs.ts";
import { demo } from "./demo.ts";

const nats = await needs(process.env.NATS_URL ?? "nats://127.0.0.1:4222", "nats-server -js, or set NATS_URL");
await demo({ nats, say: console.log });
