import type { Clock } from "../../../src/clock.ts";

/** A clock that stands still until it is told to move. `sleep` moves it, and is over at once. */
export class FakeClock implements Clock {
  time = Date.parse("2026-11-01T12:00:00.000Z");

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time;
  }

  async sleep(ms: number): Promise<void> {
    this.time += ms;
  }

  advance(ms: number): void {
    this.time += ms;
  }
}
