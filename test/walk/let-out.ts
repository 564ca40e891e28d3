import type { Sink } from "./ear.ts";

/** Files whose tests leak on purpose, and why. Nothing else is let out. */
export const LET_OUT: Readonly<Record<string, readonly { sinks: readonly Sink[]; why: string }[]>> = {};
