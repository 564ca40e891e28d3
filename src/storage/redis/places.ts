import type { Group } from "../ports.ts";
import type { Engine } from "./engine.ts";

/** Destinations remembered by a process; their partition never changes, so nothing has to be forgotten but for room. */
const MAX_KNOWN = 100_000;

/**
 * Which partition of the outbox a destination is in: its tenant's when it was first opened, for turns are taken inside a
 * partition. With one partition there is nothing to ask.
 */
export class Places {
  readonly #engine: Engine;
  readonly #known = new Map<string, number>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async choose(groups: readonly Group[]): Promise<void> {
    const engine = this.#engine;
    if (engine.options.partitions === 1) return;
    const unknown = new Map<string, number>();
    for (const { destinationId, tenantId } of groups) {
      if (!this.#known.has(destinationId)) unknown.set(destinationId, engine.numberOf(tenantId));
    }
    if (unknown.size === 0) return;
    const found = (await engine.run("place", engine.partition("meta"), [...unknown].flat())) as Buffer[];
    this.#remember([...unknown.keys()], found);
  }

  /** By destination; undefined: never opened. */
  async find(destinationIds: Iterable<string>): Promise<(destinationId: string) => number | undefined> {
    const engine = this.#engine;
    if (engine.options.partitions === 1) return () => 0;
    const unknown = [...new Set(destinationIds)].filter((id) => !this.#known.has(id));
    const PAGE = 1_000;
    for (let from = 0; from < unknown.length; from += PAGE) {
      const page = unknown.slice(from, from + PAGE);
      this.#remember(page, (await engine.run("places", engine.partition("meta"), page)) as (Buffer | null)[]);
    }
    return (destinationId) => this.#known.get(destinationId);
  }

  #remember(destinationIds: readonly string[], found: readonly (Buffer | null)[]): void {
    if (this.#known.size + destinationIds.length > MAX_KNOWN) this.#known.clear();
    for (const [index, id] of destinationIds.entries()) {
      const number = found[index];
      if (number) this.#known.set(id, Number(number));
    }
  }
}
