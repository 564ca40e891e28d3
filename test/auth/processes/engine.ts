import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Storage } from "../../../src/storage/ports.ts";
import { sqlite } from "../../../src/storage/sqlite/index.ts";

/** Where an engine keeps what several processes share; goes to them as JSON. */
export interface Place {
  engine: "sqlite";
  file: string;
}

/** An engine as one of several processes opens it. */
export function openStorage(place: Place): Storage {
  return sqlite(place.file);
}

/** A place of its own for one test, and how to clear it away. */
export async function makePlace(engine: Place["engine"]): Promise<{ place: Place; remove(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), "vault-"));
  const place = { engine, file: join(directory, "snapchat.db") };
  return { place, remove: async () => rmSync(directory, { recursive: true }) };
}
