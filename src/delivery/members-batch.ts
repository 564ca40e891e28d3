import { MEMBER_KINDS } from "./interfaces.ts";
import type { ListPage } from "./list-payload.ts";
import type { MemberEntry } from "./members-entry.ts";
import { foldMembers, type PlacedMember } from "./members-fold.ts";
import type { Plan } from "./members-plan.ts";
import { runTask } from "./members-task.ts";
import { type Bringing, nothing, planFor, tell } from "./members-tell.ts";
import { wholePersons } from "./members-whole.ts";
import { type PageDone, writePageDone } from "./page-done.ts";
import { pageParts } from "./page-ops.ts";
import { storageCall } from "./storage-call.ts";

/** Tells Snapchat what a batch changes, then writes it down. `lost`: a later claim has written already. */
export async function bringBatch(bringing: Bringing, batch: readonly MemberEntry[]): Promise<PageDone | "lost"> {
  const [first] = batch;
  const list = first?.list;
  if (!first) return nothing();
  if (list?.type === "task") {
    const done = isOvertaken(bringing, first) ? nothing() : await runTask(bringing, first, list);
    return finishList(bringing, first, done);
  }
  if (list?.type === "page") {
    const plan = planFor(bringing);
    await planPage(bringing, plan, first, list);
    return finishList(bringing, first, await tell(bringing, plan.finish(), { run: first.entry.position }));
  }
  const { members } = bringing.context.storage;
  const placed = await wholePersons(members, bringing.segment, wanted(bringing, batch));
  const plan = planFor(bringing);
  await plan.changes(foldMembers(placed, members !== undefined));
  const finished = plan.finish();
  if (finished.pages.length === 0) {
    bringing.journal.unchanged(() => placed.flatMap(({ member }) => member.eventId ?? []));
  }
  return tell(bringing, finished, { eventIdsOf: (op) => eventIdsOf(placed, op) });
}

function eventIdsOf(placed: readonly PlacedMember[], op: "add" | "remove"): string[] {
  return [...new Set(placed.flatMap(({ member }) => (member.op === op ? (member.eventId ?? []) : [])))];
}

/** Whoever waits for a page or a task learns that it is done. Before the settle: a repeat writes the same again. */
async function finishList(
  { context, segment }: Bringing,
  { entry }: MemberEntry,
  brought: PageDone | "lost",
): Promise<PageDone | "lost"> {
  const { storage, clock, random } = context;
  if (brought !== "lost") {
    const write = () => writePageDone(storage.records, segment, entry.id, brought);
    await storageCall(write, { clock, random, maxMs: 30_000 });
  }
  return brought;
}

/** What was said before the last whole list and comes after it, from a dead letter: the list has the last word on it. */
function isOvertaken({ ensured }: Bringing, { entry }: MemberEntry): boolean {
  return entry.position < (ensured.link.mirroredAt ?? 0);
}

/** The changes that count: of kinds that the segment takes, and not overtaken by a whole list. */
function wanted(bringing: Bringing, batch: readonly MemberEntry[]): PlacedMember[] {
  const { identifiers } = bringing.ensured.link;
  const placed: PlacedMember[] = [];
  for (const entry of batch) {
    const overtaken = isOvertaken(bringing, entry);
    for (const one of entry.placed) {
      if (overtaken && !one.doubted) continue;
      const member = overtaken ? { ...one.member, op: "assert" as const } : one.member;
      if (identifiers === undefined || member.op !== "add") placed.push({ ...one, member });
      else {
        const taken = member.identifiers.filter(({ kind }) => identifiers.includes(MEMBER_KINDS[kind]));
        placed.push({ ...one, member: { ...member, identifiers: taken } });
      }
    }
  }
  return placed;
}

async function planPage(bringing: Bringing, plan: Plan, open: MemberEntry, page: ListPage): Promise<void> {
  const { entry, doubted } = open;
  const { link } = bringing.ensured;
  const kindTaken = page.op === "remove" || (link.identifiers?.includes(MEMBER_KINDS[page.kind]) ?? true);
  const void_ = isOvertaken(bringing, open) || !kindTaken;
  const denied = page.op === "add" && !void_ ? await deniedOf(bringing, page) : undefined;
  for (const part of pageParts(page, entry.position)) {
    const only = (applies: boolean) => () => {
      const { ops, places } = part();
      if (!void_ && !denied) return applies ? ops : [];
      return ops.filter((_, at) => (!void_ && !denied?.has(places[at] ?? -1)) === applies);
    };
    await plan.operations(only(true), { doubted, ...(page.op === "hold" ? { send: "nothing" as const } : {}) });
    // What may have been sent before it lost its say: what Snapchat holds has to be told again.
    if (doubted) await plan.assert(only(false)());
  }
}

/** Places on the page of people who withdrew after the run had begun. */
async function deniedOf({ context, segment }: Bringing, page: ListPage): Promise<ReadonlySet<number> | undefined> {
  const { tenantId, destinationId } = segment;
  return context.consent?.deniedMembers?.(tenantId, destinationId, page.kind, page.hashes, page.acceptedAtMs);
}
