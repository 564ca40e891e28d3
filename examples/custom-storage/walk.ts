import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSnapchat } from "snapchat-destination";
import { createSimulator } from "snapchat-destination/testing";
import { enableAcme, purchase } from "../acme.ts";
import { fileStorage } from "./file-storage.ts";

/** A purchase is kept in files, everything closed, and what opens the folder again delivers it. */
export async function walk(print: (line: string) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "file-storage-"));
  const simulator = await createSimulator();
  const { clientId, clientSecret } = simulator.world;
  const key = randomBytes(32).toString("base64");
  const open = () =>
    createSnapchat({
      app: { clientId, clientSecret, redirectUri: "https://cdp.example/snapchat/callback" },
      storage: fileStorage(folder),
      encryptionKeys: [key],
      endpoints: simulator.endpoints,
      allowEndpoints: [simulator.url],
      delivery: { lingerMs: 0 },
    });

  const before = open();
  await enableAcme(before, simulator);
  const [receipt] = await before.tenant("acme").track([purchase("order-1")]);
  print(`The receipt says: ${receipt?.status}`);
  await before.close();
  print(`Everything is closed. What is left are files: ${readdirSync(folder).join(", ")}`);

  const after = open();
  await after.drain({ maxMs: 30_000 });
  print(`The folder was opened again. Snapchat counted: ${simulator.inspect.events.counted}`);
  await after.close();
  await simulator.close();
  rmSync(folder, { recursive: true });
}
