import { appendFileSync } from "node:fs";
import { afterAll, expect } from "vitest";
import { createEar, type Ear, hearEmitters } from "./ear.ts";
import { verdict } from "./verdict.ts";

declare global {
  var snapchatEar: Ear | undefined;
}

const ear = createEar();
globalThis.snapchatEar = ear;
hearEmitters(() => globalThis.snapchatEar);

afterAll(() => {
  const file = (expect.getState().testPath ?? "").replace(/^.*\/test\//, "test/");
  const seen = ear.sightings();
  const told = process.env.WALK_FOLDER;
  if (told) {
    const line = { file, ...ear.bytes(), heard: ear.heard, codes: [...ear.codes], seen };
    appendFileSync(`${told}/${process.pid}.ndjson`, `${JSON.stringify(line)}\n`);
  }
  verdict(file, seen);
});
