import { BUGS } from "../connecting/life/bugs.ts";
import { describeBugs } from "../connecting/life/describe-bugs.ts";
import { describeLives } from "../connecting/life/describe-lives.ts";

describeLives({ memory: 300, sockets: 50, sqlite: 100 });
describeBugs(Object.keys(BUGS) as (keyof typeof BUGS)[], { seeds: 30 });
