// Compiled by scripts/packed-smoke.ts and scripts/runtimes.ts against the packed package: every subpath, strict, with the
// checks of its own declarations on.
import { createSnapchat, type Receipt, type Snapchat, type SnapchatOptions } from "snapchat-destination";
import { AudiencesClient } from "snapchat-destination/audiences";
import { OAuthClient, toNodeHandler } from "snapchat-destination/auth";
import { ConversionsClient, type SnapEvent } from "snapchat-destination/capi";
import { hash } from "snapchat-destination/identity";
import { memory } from "snapchat-destination/memory";
import { pixelCsp } from "snapchat-destination/pixel";
import { createPixel } from "snapchat-destination/pixel/browser";
import { createRouter as createPageRouter } from "snapchat-destination/pixel/router";
import { postgres } from "snapchat-destination/postgres";
import { redis } from "snapchat-destination/redis";
import { sqlite } from "snapchat-destination/sqlite";
import { type Records, type Storage, storageFromRecords } from "snapchat-destination/storage";
import { createSimulator, testStorage } from "snapchat-destination/testing";
import { createRouter, presets, sources } from "snapchat-destination/workflow";

export const storages: ((records: Records) => Storage)[] = [
  (records) =>
    storageFromRecords(records, { name: "own", durability: "process", shared: "process", maxValueBytes: 65_536 }),
  () => sqlite("consumer.db"),
  () => memory(),
];
export const open = (options: SnapchatOptions): Snapchat => createSnapchat(options);
export const statuses = (receipts: readonly Receipt[]): string[] => receipts.map(({ status }) => status);
export const send = (token: string, events: SnapEvent[]) => new ConversionsClient().send("pixel", events, { token });
export const email: string | undefined = hash("em", "jane@example.com");
export const router = createRouter(presets.segment({ defaultCountry: "GB" }));
export const rest = [
  AudiencesClient,
  OAuthClient,
  toNodeHandler,
  pixelCsp,
  createPixel,
  createPageRouter,
  postgres,
  redis,
  createSimulator,
  testStorage,
  sources,
] as const;
// @ts-expect-error A PURCHASE without value and currency does not compile.
export const broken: SnapEvent = { event_name: "PURCHASE", event_time: 1, action_source: "WEB", user_data: {} };
