import { needs } from "../needs.ts";
import { demo } from "./demo.ts";

const redis = await needs(process.env.REDIS_URL ?? "redis://127.0.0.1:6379", "redis-server, or set REDIS_URL");
await demo({ redis, say: console.log });
