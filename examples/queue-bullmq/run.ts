import { demo } from "./demo.ts";

await demo({ redis: process.env.REDIS_URL ?? "redis://127.0.0.1:6379", say: console.log });
