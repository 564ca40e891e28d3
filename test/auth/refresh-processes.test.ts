import { describeRefreshing } from "./processes/describe.ts";

// Two hundred rounds, Redis, and both kinds of token at every kill on every engine: test/long/auth.test.ts.
await describeRefreshing("sqlite", { rounds: 10, kills: ["rotated"] });
await describeRefreshing("postgres", { rounds: 10, kills: [] });
