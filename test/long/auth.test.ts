import { describeRefreshing } from "../auth/processes/describe.ts";

const rounds = Number(process.env.ROUNDS ?? 200);
const kills = Array.from({ length: Number(process.env.KILLS ?? 5) }, () => ["same", "rotated"] as const).flat();

await describeRefreshing("sqlite", { rounds, kills });
await describeRefreshing("postgres", { rounds, kills });
await describeRefreshing("redis", { rounds, kills });
