import { expect, it } from "vitest";
import { walk as cloudflareWorker } from "../../examples/cloudflare-worker/walk.ts";
import { walk as customStorage } from "../../examples/custom-storage/walk.ts";
import { walk as express } from "../../examples/express/walk.ts";
import { walk as nextRouteHandlers } from "../../examples/next-route-handlers/walk.ts";
import { read } from "../docs/shown-code.ts";

it.each([
  ["express", express],
  ["next-route-handlers", nextRouteHandlers],
  ["cloudflare-worker", cloudflareWorker],
  ["custom-storage", customStorage],
])("examples/%s prints what its page shows", async (name, walk) => {
  const printed: string[] = [];
  await walk((line) => printed.push(line));
  expect(printed.length).toBeGreaterThan(2);
  expect(read(`examples/${name}/README.md`)).toContain(`\n\`\`\`\n${printed.join("\n")}\n\`\`\`\n`);
});
