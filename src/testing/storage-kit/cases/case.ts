import type { Context } from "../context.ts";
import type { PortName } from "../options.ts";

/** A sentence of the contract and its proof. */
export interface Case {
  port: PortName;
  sentence: string;
  /** `"test"`: needs hours to pass, or a clock that stands still. */
  clock?: "test" | "engine";
  prove(context: Context): Promise<void>;
}

export function cases(port: PortName, list: Record<string, Case["prove"]>, o: Pick<Case, "clock"> = {}): Case[] {
  return Object.entries(list).map(([sentence, prove]) => ({ port, sentence, prove, ...o }));
}
