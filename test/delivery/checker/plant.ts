import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
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
  const { load, remove } = plantRooms(["delivery"], bugs);
  const { createDelivery: create } = await load<{ createDelivery: typeof createDelivery }>("delivery");
  return { create, remove };
}

/**
 * Copies of several rooms, or of files of the top floor, which import each other; everything else is the real one.
 * A bug's file is named from its room.
 */
export function plantRooms(rooms: readonly string[], bugs: readonly Bug[]) {
  const directory = mkdtempSync(join(tmpdir(), "planted-"));
  symlinkSync(join(src, "../node_modules"), join(directory, "node_modules"));
  const found = new Set<Bug>();
  for (const room of rooms) {
    cpSync(join(src, room), join(directory, room), { recursive: true });
    const names = statSync(join(src, room)).isFile()
      ? [""]
      : readdirSync(join(directory, room), { recursive: true, encoding: "utf8" });
    for (const name of names) {
      const path = join(directory, room, name);
      if (!path.endsWith(".ts")) continue;
      const original = dirname(join(src, room, name));
      let text = readFileSync(path, "utf8").replace(/from "(\.\.?\/[^"]+)"/g, (all, to: string) => {
        const target = resolve(original, to);
        return rooms.includes(relative(src, target).split("/")[0] ?? "") ? all : `from "${target}"`;
      });
      for (const bug of bugs) {
        if ((name || room) !== bug.file || !text.includes(bug.find)) continue;
        found.add(bug);
        text = text.replace(bug.find, () => bug.replace);
      }
      writeFileSync(path, text);
    }
  }
  const missing = bugs.find((bug) => !found.has(bug));
  if (missing) throw new Error(`${missing.file} does not hold the text that the bug replaces: ${missing.find}`);
  return {
    load: async <T>(room: string) =>
      (await import(/* @vite-ignore */ join(directory, room.endsWith(".ts") ? room : `${room}/index.ts`))) as T,
    remove: () => rmSync(directory, { recursive: true, force: true, maxRetries: 10 }),
  };
}
