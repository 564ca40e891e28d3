import { demo } from "./demo.ts";

await demo({ nats: process.env.NATS_URL ?? "nats://127.0.0.1:4222", say: console.log });
