import type { Group, Records, Target } from "../ports.ts";
import { decode, encode } from "./codec.ts";
import { isMeant } from "./group.ts";
import { each, type GroupStore } from "./group-store.ts";
import { keys } from "./keys.ts";
import { retryConflicts } from "./retry.ts";

interface Pause {
  target: Target;
  reason: string;
}

/** Every pause in one record, which is the truth, and what it means for a group in that group's state, which claims read. */
export function createPauses(records: Records, groups: GroupStore) {
  async function read(): Promise<{ list: Pause[]; version: number }> {
    const record = await records.get(keys.pauses);
    return { list: record ? decode<Pause[]>(record.value) : [], version: record?.version ?? 0 };
  }

  async function change(apply: (list: Pause[]) => Pause[]): Promise<void> {
    await retryConflicts(async () => {
      const { list, version } = await read();
      const next = apply(list);
      if (next !== list) await records.put(keys.pauses, encode(next), { ifVersion: version });
    });
  }

  /** Reasons that stop a group, each with the kind of its target, so that targets do not resume each other. */
  async function reasonsOf(group: Group): Promise<string[]> {
    const { list } = await read();
    return list
      .filter(({ target }) => isMeant(target, group))
      .map(({ target, reason }) => `${kindOf(target)}:${reason}`);
  }

  async function set(target: Target, reason: string, on: boolean): Promise<void> {
    const name = nameOf({ target, reason });
    await change((list) => {
      const others = list.filter((pause) => nameOf(pause) !== name);
      if (on === others.length < list.length) return list;
      return on ? [...others, { target, reason }] : others;
    });
    const meant = [...(await groups.all(0)).values()].filter(({ state }) => isMeant(target, state.group));
    await each(meant.length, async (index) => {
      const { group } = (meant[index] as (typeof meant)[number]).state;
      await groups.change(group, async (state) => {
        if (!state) return { answer: undefined };
        state.paused = await reasonsOf(state.group);
        return { answer: undefined, write: true };
      });
    });
  }

  const forget = (destinationId: string) =>
    change((list) => {
      const others = list.filter(
        ({ target }) => !("destinationId" in target) || target.destinationId !== destinationId,
      );
      return others.length < list.length ? others : list;
    });

  return { set, reasonsOf, forget };
}

export type Pauses = ReturnType<typeof createPauses>;

const kindOf = (target: Target): string =>
  "credentialId" in target ? "credential" : target.group === undefined ? "destination" : "group";

const nameOf = ({ target, reason }: Pause): string =>
  JSON.stringify(
    "credentialId" in target ? [target.credentialId, reason] : [target.destinationId, target.group ?? null, reason],
  );
