import { freePort } from "../needs.ts";
import { openHostCdp } from "./start.ts";

const cdp = await openHostCdp(await freePort(8091));
console.log(`Open ${cdp.url} in a browser. Stop with Ctrl+C.

When the page asks for a Conversions API token, paste this one:
${cdp.simulator.world.main.conversionsToken}`);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => cdp.close());
