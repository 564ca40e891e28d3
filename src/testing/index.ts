/**
 * For tests: a Snapchat on this machine, a fake clock, the conformance kit of storages, trials of plugins.
 *
 * @module testing
 */
export { createFakeClock, type FakeClock, type FakeClockOptions } from "./clock.ts";
export { type HookTest, type PluginTest, type PluginTestOptions, testPlugin } from "./plugin.ts";
export * from "./simulator/index.ts";
export {
  type BenchRow,
  type BenchStorageOptions,
  benchStorage,
  type CaseOutcome,
  type Job,
  type JobResult,
  type KitClock,
  type Level,
  type PortName,
  runJob,
  runStorageKit,
  type StorageBench,
  type StorageCase,
  type StorageKitOptions,
  type StorageKitResult,
  testStorage,
} from "./storage-kit/index.ts";
export {
  type Exchange,
  type NockLike,
  type Provenance,
  type Replay,
  readTranscript,
  replayTranscript,
  type Transcript,
} from "./transcript.ts";
