/**
 * Where the library is heard, and what is told to the ear of `ear.ts`, by source file. Each place is replaced by itself and
 * a call; one that is not found any more fails every test, so that no sink falls silent.
 */
const PLACES: Readonly<Record<string, readonly (readonly [place: string, heard: string])[]>> = {
  "errors.ts": [
    ["    this.#text = text;\n", "    this.#text = text;\n    EAR?.secret(text);\n"],
    [
      "    this.retryAfterMs = init.retryAfterMs;\n  }",
      "    this.retryAfterMs = init.retryAfterMs;\n    EAR?.hear('errors', this);\n  }",
    ],
  ],
  "identity/normalize.ts": [
    [
      'options: IdentityOptions): string | Omitted {\n  if (typeof value === "string") {\n',
      'options: IdentityOptions): string | Omitted {\n  EAR?.person(field, value);\n  if (typeof value === "string") {\n',
    ],
  ],
  "capi/user-data.ts": [
    [
      '  switch (row.kind) {\n    case "digest":\n',
      '  EAR?.transport(row.name, value);\n  switch (row.kind) {\n    case "digest":\n',
    ],
  ],
  "storage/refuse-after-close.ts": [
    ["        const error = refusal();\n", "        const error = refusal();\n        EAR?.stored(name, args);\n"],
  ],
  "storage/sqlite/index.ts": [
    [
      "records: sqliteRecords(connection, MAX_VALUE_BYTES),",
      "records: (EAR?.port ?? ((it) => it))(sqliteRecords(connection, MAX_VALUE_BYTES)),",
    ],
    [
      "outbox: sqliteOutbox(connection, MAX_ENTRY_BYTES),",
      "outbox: (EAR?.port ?? ((it) => it))(sqliteOutbox(connection, MAX_ENTRY_BYTES)),",
    ],
    ["members: sqliteMembers(connection),", "members: (EAR?.port ?? ((it) => it))(sqliteMembers(connection)),"],
    ["journal: sqliteJournal(connection),", "journal: (EAR?.port ?? ((it) => it))(sqliteJournal(connection)),"],
    ["slots: sqliteSlots(connection),", "slots: (EAR?.port ?? ((it) => it))(sqliteSlots(connection)),"],
  ],
  "snapchat/log.ts": [
    [
      "    try {\n      logger?.[level](fields, message);",
      "    EAR?.hear('logs', fields, message);\n    try {\n      logger?.[level](fields, message);",
    ],
  ],
  "snapchat/events.ts": [
    ["      emitter.emit(name, event);", "      EAR?.hear('events', name, event);\n      emitter.emit(name, event);"],
  ],
  "snapchat/connection-events.ts": [
    [
      "        await told.onReauthRequired?.({",
      "        EAR?.hear('events', tenantId, destinationId, connectionId, transitionId);\n        await told.onReauthRequired?.({",
    ],
  ],
  "plugins/sink.ts": [["      waiting.push(line);", "      EAR?.hear(hook, line);\n      waiting.push(line);"]],
  "plugins/notify.ts": [
    ["    const told: string[] = [];\n", "    EAR?.hear('events', notification);\n    const told: string[] = [];\n"],
  ],
  "snapchat.ts": [
    ["    telemetry.tracked(receipts);\n", "    telemetry.tracked(receipts);\n    EAR?.hear('receipts', receipts);\n"],
    ["      telemetry.sent(outcomes);\n", "      telemetry.sent(outcomes);\n      EAR?.hear('receipts', outcomes);\n"],
  ],
  "snapchat/telemetry.ts": [
    [
      "  function record(work: (instruments: Instruments) => void): void {\n",
      "  function record(work: (instruments: Instruments) => void): void {\n    EAR?.counted(work);\n",
    ],
  ],
  "http/client.ts": [
    [
      "    const started = performance.now();\n    try {\n      const response = await traced(",
      "    const started = performance.now();\n    EAR?.hear('spans', label, method, url.hostname, untraced ? '' : url.href);\n    try {\n      const response = await traced(",
    ],
  ],
};

/** The library as the suite runs it, telling what it makes, throws, emits, logs, stores and traces. */
export function instrument() {
  return {
    name: "walk",
    enforce: "pre" as const,
    transform(code: string, id: string) {
      const path = /\/src\/([\w/-]+\.ts)$/.exec(id)?.[1] ?? "";
      let heard = code;
      for (const [place, told] of PLACES[path] ?? []) {
        if (!heard.includes(place)) throw new Error(`test/walk/instrument.ts: src/${path} has no longer\n${place}`);
        heard = heard.replace(place, () => told.replaceAll("EAR?.", "globalThis.snapchatEar?."));
      }
      return heard === code ? undefined : { code: heard, map: null };
    },
  };
}
