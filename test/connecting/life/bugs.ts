import type { Bug } from "../../delivery/checker/plant.ts";

/** What could go wrong in a destination's life, one at a time; each must fail a life. */
export const BUGS = {
  "a destination that is switched off holds nothing": {
    file: "effects.ts",
    find: 'held: !stored.enabled && stored.queueOnDisable !== "finish"',
    replace: "held: false",
  },
  "a queue that is to be dropped is only held": {
    file: "effects.ts",
    find: 'if (!stored.enabled && stored.queueOnDisable === "drop") await drop',
    replace: "if (stored.id === undefined) await drop",
  },
  "what is queued for the old pixel is held after a move": {
    file: "effects.ts",
    find: 'held: asset.queue === "drop"',
    replace: "held: asset !== stored.assets.at(-1)",
  },
  "server-side off holds nothing that is queued": {
    file: "effects.ts",
    find: "held: !stored.serverSide",
    replace: "held: false",
  },
  "a suspended tenant's queue goes on": {
    file: "effects.ts",
    find: 'held: around.tenant !== "active"',
    replace: "held: false",
  },
  "segments are not told of a new login": {
    file: "effects.ts",
    find: "if (connection) await segments.reopen",
    replace: "if (stored.id === undefined && connection) await segments.reopen",
  },
  "resuming a tenant forgets the destinations": {
    file: "tenants.ts",
    find: "await applyToQueue(context, tenantId, stored.id);",
    replace: "if (context.records === undefined) await applyToQueue(context, tenantId, stored.id);",
  },
  "the caches are not told of a change": {
    file: "mutation.ts",
    find: "await context.reader.changed(tenantId);",
    replace: "",
  },
  "a change leaves no audit line": {
    file: "mutation.ts",
    find: "await context.audit.write(pending.line);",
    replace: "",
  },
  "an expected version is not looked at": {
    file: "mutation.ts",
    find: "options.expectedVersion !== before.version",
    replace: "options.expectedVersion < 0",
  },
  "a removed token stays readable": {
    file: "conversions-token.ts",
    find: "await pruneTokens(context, stored);",
    replace: "",
  },
  "a login that nobody uses any more stays": {
    file: "lifecycle.ts",
    find: "  await context.connections.disconnect(",
    replace: "  if (connectionId === undefined) await context.connections.disconnect(",
  },
  "a deleted destination's queue stays": {
    file: "remove.ts",
    find: "while (!purged) purged =",
    replace: "while (purged) purged =",
  },
  "an offboarded tenant's other destinations go on": {
    file: "offboard.ts",
    find: "const removed = await removeNow(",
    replace: 'if (stored.name === "Side") continue;\n    const removed = await removeNow(',
  },
  "what other rooms keep of a destination stays": {
    file: "remove.ts",
    find: "await context.forget(tenantId, id);",
    replace: "",
  },
} satisfies Record<string, Bug>;
