export { createFakeClock, type FakeClock, type FakeClockOptions } from "./clock.ts";
export * from "./simulator/index.ts";
export {
  type Exchange,
  type NockLike,
  type Provenance,
  type Replay,
  readTranscript,
  replayTranscript,
  type Transcript,
} from "./transcript.ts";
