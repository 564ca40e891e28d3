import { BUGS } from "../connecting/life/bugs.ts";
import { describeBugs } from "../connecting/life/describe-bugs.ts";
import { describeLives } from "../connecting/life/describe-lives.ts";
import { describeKeptQueue } from "../connecting/queue-kept/describe.ts";
import { KILLS } from "../connecting/queue-kept/kills.ts";

describeLives({ memory: 300, sockets: 50, sqlite: 100 });
describeBugs(Object.keys(BUGS) as (keyof typeof BUGS)[], { seeds: 30 });

const kills = KILLS.flatMap((kill) => [{ kill, login: "renewed" } as const, { kill, login: "over" } as const]);
const cases = Array.from({ length: Number(process.env.KILLS ?? 5) }, () => kills).flat();
for (const engine of ["sqlite", "postgres", "redis"] as const) await describeKeptQueue(engine, cases);
