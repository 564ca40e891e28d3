import { setTimeout } from "node:timers/promises";
import { purchase } from "../acme.ts";
import { openHost } from "./host.ts";

/** What a browser and a shop's server do with the host: sign in, look at the accounts, send a purchase. */
export async function walk(print: (line: string) => void): Promise<void> {
  const { url, id, simulator, close } = await openHost();
  try {
    const away = await fetch(`${url}/snapchat/connect?tenant=acme&destination=${id}`, { redirect: "manual" });
    const cookie = away.headers.getSetCookie().map((line) => line.split(";", 1)[0]);
    const back = simulator.consent(away.headers.get("location") ?? "");
    const home = await fetch(back, { redirect: "manual", headers: { cookie: cookie.join("; ") } });
    print(`Signed in at Snapchat, and back (${home.status}).`);

    const accounts = await fetch(`${url}/tenants/acme/destinations/${id}/accounts`);
    const { organizations } = (await accounts.json()) as { organizations: { name: string }[] };
    print(`Organizations to choose from: ${organizations.map(({ name }) => name).join(", ")}`);

    const taken = await fetch(`${url}/tenants/acme/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify([purchase("order-1")]),
    });
    print(`The host answers ${taken.status}: ${await taken.text()}`);
    while (simulator.inspect.events.counted === 0) await setTimeout(20);
    print(`Snapchat counted: ${simulator.inspect.events.counted}`);
  } finally {
    await close();
  }
}
