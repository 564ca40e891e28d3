import type { QueueControl } from "../../../src/destinations/index.ts";
import type { Depth, Group, Target } from "../../../src/storage/ports.ts";

export interface Entry {
  id: string;
  destinationId: string;
  group: string;
}

/** The steering half of an outbox, with just enough of the other half to see what would leave. */
export class MemoryQueue implements QueueControl {
  readonly groups = new Map<string, Group>();
  readonly holds = new Map<string, Set<string>>();
  readonly delivered: (Entry & { credentialId: string })[] = [];
  readonly dead: (Entry & { reason: string })[] = [];
  readonly purged: Entry[] = [];
  waiting: Entry[] = [];
  /** Called before every command; throw here to play an engine that is gone. */
  beforeCommand: (command: string) => void | Promise<void> = () => {};

  async open(groups: Group[]): Promise<void> {
    await this.beforeCommand("open");
    for (const group of groups) this.groups.set(`${group.destinationId} ${group.name}`, { ...group });
  }

  async pause(target: Target, reason: string): Promise<void> {
    await this.beforeCommand("pause");
    const key = nameOf(target);
    this.holds.set(key, new Set([...(this.holds.get(key) ?? []), reason]));
  }

  async resume(target: Target, reason: string): Promise<void> {
    await this.beforeCommand("resume");
    this.holds.get(nameOf(target))?.delete(reason);
  }

  async bury(target: Target, reason: string, o: { olderThanMs?: number; limit: number }): Promise<boolean> {
    await this.beforeCommand("bury");
    const fits = (entry: Entry) =>
      "destinationId" in target &&
      entry.destinationId === target.destinationId &&
      (target.group ?? entry.group) === entry.group;
    const taken = this.waiting.filter(fits).slice(0, o.limit);
    this.dead.push(...taken.map((entry) => ({ ...entry, reason })));
    this.waiting = this.waiting.filter((entry) => !taken.includes(entry));
    return !this.waiting.some(fits);
  }

  async depth(destinationIds?: string[]): Promise<Depth[]> {
    const ids = destinationIds ?? [...new Set(this.waiting.map(({ destinationId }) => destinationId))];
    return ids.map((destinationId) => {
      const entries = this.waiting.filter((entry) => entry.destinationId === destinationId).length;
      const dead = this.dead.filter((entry) => entry.destinationId === destinationId).length;
      return {
        destinationId,
        entries,
        items: entries,
        bytes: 0,
        oldestAgeMs: 0,
        paused: this.reasons(destinationId),
        dead: { dropped: dead },
      };
    });
  }

  async purge(destinationId: string): Promise<boolean> {
    await this.beforeCommand("purge");
    this.purged.push(...this.waiting.filter((entry) => entry.destinationId === destinationId));
    this.waiting = this.waiting.filter((entry) => entry.destinationId !== destinationId);
    for (const [key, group] of this.groups) if (group.destinationId === destinationId) this.groups.delete(key);
    return true;
  }

  /** Appends like the real one: a group that was never opened is refused. */
  append(entry: Entry): void {
    if (!this.groups.has(`${entry.destinationId} ${entry.group}`))
      throw Object.assign(new Error("unknown_group"), { code: "unknown_group" });
    this.waiting.push(entry);
  }

  /** Delivers everything that nothing holds. */
  deliver(): void {
    for (const entry of [...this.waiting]) {
      const group = this.groups.get(`${entry.destinationId} ${entry.group}`);
      if (!group || this.reasons(entry.destinationId, entry.group, group.credentialId).length > 0) continue;
      this.delivered.push({ ...entry, credentialId: group.credentialId });
      this.waiting = this.waiting.filter((other) => other !== entry);
    }
  }

  /** Why something of this destination, group or credential is held. */
  reasons(destinationId: string, group?: string, credentialId?: string): string[] {
    const keys = [
      nameOf({ destinationId }),
      ...(group ? [nameOf({ destinationId, group })] : []),
      ...(credentialId ? [nameOf({ credentialId })] : []),
    ];
    return [...new Set(keys.flatMap((key) => [...(this.holds.get(key) ?? [])]))].sort();
  }
}

const nameOf = (target: Target): string =>
  "credentialId" in target
    ? `credential ${target.credentialId}`
    : target.group
      ? `group ${target.destinationId} ${target.group}`
      : `destination ${target.destinationId}`;
