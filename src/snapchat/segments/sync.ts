import { randomUUID } from "node:crypto";
import { type ListRow, type SyncMode, type SyncProgress, syncList } from "../../audiences/index.ts";
import type { ActiveDestination } from "../../destinations/index.ts";
import { personBytes } from "../../people/index.ts";
import type { HostMember, Plugins } from "../../plugins/index.ts";
import { checkDelivery } from "./check-delivery.ts";
import { checkSegmentKey, wrong } from "./errors.ts";
import type { SegmentsDependencies } from "./segments.ts";

/** A run's progress as it is told to listeners. */
export type SegmentSync = SyncProgress & { tenantId: string; destinationId: string; key: string };

/** Lists, and what a list does with them. */
export interface SyncOptions {
  /** Default `mirror`. */
  mode?: SyncMode;
  /**
   * The run's own id, 1 to 200 characters. The same id goes on with the same run after a crash and sends nothing twice; a
   * finished one answers what it did. Absent: a run that cannot be gone on with.
   */
  runId?: string;
  /** The share of the segment that a mirror may remove without being told to, 0 to 1. Default 0.5. */
  maxRemovedShare?: number;
  /** The segment's name, where this call makes it known. */
  name?: string;
  /** Lines of the list, for the estimate of the time left. */
  size?: number;
  /** Told after every page. */
  onProgress?: (progress: SyncProgress) => void;
  signal?: AbortSignal;
}

const MODES: readonly unknown[] = ["mirror", "add", "remove"];

/** Whole lists on their way into a tenant's segments. */
export function createSegmentSync(dependencies: SegmentsDependencies) {
  const { storage, links, plugins, lists, clock } = dependencies;
  const { records } = storage;

  return async function sync(
    destination: ActiveDestination,
    key: string,
    rows: AsyncIterable<ListRow> | Iterable<ListRow> | undefined,
    options: SyncOptions & { seeding?: boolean } = {},
  ): Promise<SyncProgress> {
    checkSync(options);
    const { tenantId, id: destinationId } = destination;
    const ref = links.refOf(destination, checkSegmentKey(key));
    const link = await links.make(destination, { link: ref.link, key, name: options.name });
    if (link.state === "stopped") throw stopped();
    const scope = { tenantId, destinationId, signal: options.signal };
    const members = rows ?? (await plugins.segments?.members(key, scope));
    if (!members) throw noMembers();
    const subjects = await dependencies.subjects(tenantId);
    const { defaultCountry, identifiers } = dependencies.reading(destination);
    return syncList(
      { records, lists, clock, membersKept: storage.members !== undefined },
      {
        segment: ref,
        runId: options.runId ?? randomUUID(),
        mode: options.seeding ? "hold" : (options.mode ?? "mirror"),
        rows: members,
        read: {
          defaultCountry,
          identifiers: link.identifiers?.filter((kind) => identifiers.includes(kind)) ?? identifiers,
          personOf: (personKey) => personBytes(subjects.ofPerson(personKey)),
          allowed: plugins.consent && ((member) => agrees(plugins.consent, member, scope)),
          signal: options.signal,
        },
        maxRemovedShare: options.maxRemovedShare ?? 0.5,
        size: options.size,
        retentionInDays: link.retentionInDays,
        async checkDelivery(waitedMs) {
          await checkDelivery(storage, ref);
          if (waitedMs >= NOBODY_AFTER_MS && !(await dependencies.delivers())) throw nobodyDelivers();
        },
        onProgress(progress) {
          options.onProgress?.(progress);
          dependencies.onProgress({ ...progress, tenantId, destinationId, key });
        },
      },
    );
  };
}

async function agrees(
  consent: Plugins["consent"],
  { email, phone, mobileAdId, personKey }: HostMember,
  scope: { tenantId: string; destinationId: string },
): Promise<boolean> {
  const madid = typeof mobileAdId === "string" ? mobileAdId : mobileAdId?.[0];
  const identifiers = {
    ...(email === undefined ? {} : { em: email }),
    ...(phone === undefined ? {} : { ph: phone }),
    ...(madid === undefined ? {} : { madid }),
  };
  return (await consent?.({ personKey, identifiers }, "audiences", scope))?.allowed ?? true;
}

function checkSync({ mode = "mirror", runId, maxRemovedShare = 0.5 }: SyncOptions): void {
  if (!MODES.includes(mode)) {
    throw wrong(
      "sync_mode_invalid",
      "A list's mode is mirror, add or remove.",
      "Say what the list shall do to the segment.",
    );
  }
  if (runId !== undefined && (typeof runId !== "string" || runId === "" || runId.length > 200)) {
    throw wrong(
      "run_id_invalid",
      "A run's id is a text of 1 to 200 characters.",
      "Use an id of yours: the export's name and date.",
    );
  }
  if (!(maxRemovedShare >= 0 && maxRemovedShare <= 1)) {
    throw wrong(
      "removed_share_invalid",
      "maxRemovedShare lies between 0 and 1.",
      "Pass 1 to remove whatever is not in the list.",
    );
  }
}

/** A worker that runs has taken a part of a list long before. */
const NOBODY_AFTER_MS = 15_000;

const nobodyDelivers = () =>
  wrong(
    "nobody_delivers",
    "The list waits: no worker runs, and nobody has called drain in the last five minutes.",
    "Call startWorker(), here or in another process, then sync again with the same runId: it goes on where it is.",
  );

const stopped = () =>
  wrong(
    "segment_stopped",
    "This segment is no longer kept in step.",
    "Call segments.recreate() or segments.link() to go on with it.",
  );

const noMembers = () =>
  wrong(
    "members_missing",
    "There is no list: none was passed, and no plugin knows this segment.",
    "Pass the members, or plug in the `segments` hook.",
  );
