import type { MemberFilter, MemberOp, MemberRow, SegmentRef } from "../storage/ports.ts";
import type { SegmentTask } from "./list-payload.ts";
import type { MemberEntry } from "./members-entry.ts";
import { type Judgement, MAX_OPS } from "./members-plan.ts";
import { type Bringing, nothing, planFor, tell } from "./members-tell.ts";
import { type PageDone, sum } from "./page-done.ts";
import { scheduleRenewal } from "./renewal.ts";
import { changeSegmentLink } from "./segment-link.ts";

/** Work on a segment whose identifiers come from the members port: read when its turn comes, so that they are current. */
export async function runTask(bringing: Bringing, open: MemberEntry, task: SegmentTask): Promise<PageDone | "lost"> {
  const { context, segment, ensured } = bringing;
  const { position } = open.entry;
  switch (task.task) {
    case "make":
      return nothing();
    case "sweep": {
      // Nobody's row is never present, so every row names somebody and takes nobody else along.
      const leaves = (row: MemberRow): MemberOp => ({ ...row, op: "remove", position });
      const swept = await overRows(bringing, segment, { notSeenIn: position, positionBefore: position }, leaves);
      if (swept === "lost") return "lost";
      await changeSegmentLink(context.storage.records, segment, (link) => ({
        ...link,
        mirroredAt: Math.max(link.mirroredAt ?? 0, position),
      }));
      return swept;
    }
    case "renew": {
      const { renewAfterMs } = ensured;
      if (renewAfterMs === undefined) return nothing();
      const stays = (row: MemberRow): MemberOp => ({ ...row, op: "add" });
      const renewed = await overRows(bringing, segment, { sentBeforeMs: renewAfterMs }, stays);
      if (renewed !== "lost") await scheduleRenewal(context.storage.records, segment);
      return renewed;
    }
    case "refill":
      return overRows(bringing, segment, {}, (row) => ({ ...row, op: "add" }), { send: "everything" });
    case "copy": {
      if (task.from === undefined) return nothing();
      const from = { ...segment, link: task.from };
      return overRows(bringing, from, {}, (row) => ({ ...row, op: "add", position }));
    }
  }
}

/** Goes through the rows of a segment, a request's worth at a time: told, written down, then the next. */
async function overRows(
  bringing: Bringing,
  from: SegmentRef,
  filter: MemberFilter,
  opOf: (row: MemberRow) => MemberOp,
  judgement: Judgement = {},
): Promise<PageDone | "lost"> {
  const { members } = bringing.context.storage;
  const { identifiersPerRequest } = bringing.context.settings;
  let total = nothing();
  if (!members) return total;
  let after: string | undefined;
  do {
    const plan = planFor(bringing);
    let count = 0;
    do {
      const limit = Math.min(MAX_OPS, identifiersPerRequest - count);
      const page = await members.scan(from, { ...filter, limit, ...(after === undefined ? {} : { after }) });
      await plan.operations(() => page.items.map(opOf), judgement);
      count += page.items.length;
      after = page.after;
    } while (after !== undefined && count < identifiersPerRequest);
    const told = await tell(bringing, plan.finish());
    if (told === "lost") return "lost";
    total = sum(total, told);
  } while (after !== undefined);
  return total;
}
