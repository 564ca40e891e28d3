import { purchase } from "../acme.ts";
import { freePort } from "../needs.ts";
import { openHost } from "./host.ts";
import { walk } from "./walk.ts";

if (process.argv.includes("--once")) await walk(console.log);
else {
  const { url, id, simulator, close } = await openHost(await freePort(8092));
  const body = JSON.stringify([purchase(`order-${Date.now()}`)]);
  console.log(`Sign in, and see the accounts: ${url}/snapchat/connect?tenant=acme&destination=${id}

Send a purchase:
curl ${url}/tenants/acme/events -H 'content-type: application/json' -d '${body}'

See what Snapchat made of it: ${simulator.url}/__simulator/events
Stop with Ctrl+C.`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => close());
}
