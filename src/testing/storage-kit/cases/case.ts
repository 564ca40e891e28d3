import type { Context } from "../context.ts";
import type { Level, PortName } from "../options.ts";

/** A sentence of the contract and its proof. */
export interface Case {
  port: PortName;
  sentence: string;
  level: Level;
  /** `"test"`: needs hours to pass, or a clock that stands still. */
  clock?: "test" | "engine";
  prove(context: Context): Promise<void>;
}

const LEVELS: Record<PortName, Level> = {
  rules: "core",
  records: "core",
  outbox: "core",
  members: "members",
  journal: "journal",
  slots: "slots",
};

export function cases(
  port: PortName,
  list: Record<string, Case["prove"]>,
  o: { clock?: "test" | "engine"; level?: Level } = {},
): Case[] {
  return Object.entries(list).map(([sentence, prove]) => ({ port, sentence, prove, level: LEVELS[port], ...o }));
}
