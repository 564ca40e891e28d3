import { walk } from "./walk.ts";

await walk(console.log);
