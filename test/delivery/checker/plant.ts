import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { createDelivery } from "../../../src/delivery/index.ts";

const src = fileURLToPath(new URL("../../../src", import.meta.url));

/** A text of a file of the room, and what a bug makes of it. */
export interface Bug {
  file: string;
  find: string;
  replace: string;
}

/** A copy of the room with a bug in it. The floors below are the real ones. */
export async function plant(bugs: readonly Bug[]): Promise<{ create: typeof createDelivery; remove(): void }> {
  const directory = mkdtempSync(join(tmpdir(), "planted-"));
  cpSync(join(src, "delivery"), directory, { recursive: true });
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    let text = readFileSync(path, "utf8").replaceAll('from "../', `from "${src}/`);
    for (const { file, find, replace } of bugs) {
      if (name !== file) continue;
      if (!text.includes(find)) throw new Error(`${file} does not hold the text that the bug replaces: ${find}`);
      text = text.replace(find, () => replace);
    }
    writeFileSync(path, text);
  }
  const room = (await import(/* @vite-ignore */ join(directory, "index.ts"))) as {
    createDelivery: typeof createDelivery;
  };
  return { create: room.createDelivery, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
