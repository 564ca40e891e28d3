import type { Clock } from "../../clock.ts";
import {
  changeSegmentLink,
  readSegmentLink,
  type SegmentLink,
  type SegmentLinkRef,
  segmentGroup,
  segmentLinkKey,
  segmentLinks,
  writeSegmentLink,
} from "../../delivery/index.ts";
import { type ActiveDestination, loginCredential } from "../../destinations/index.ts";
import type { Storage } from "../../storage/ports.ts";
import { LIMITS } from "../../wire/limits.ts";
import { segmentLink } from "../decide.ts";

/** A segment of the CDP, as an event or the host names it. */
export interface CdpSegment {
  link: string;
  key: string;
  name: string | undefined;
}

/** What this process knows of a link. */
interface Known {
  credentialId: string;
  stopped: boolean;
  /** Monotonic. Another process may delete or stop it. */
  until: number;
}

const DEFAULT_NAME = "{name}";
const KNOWN_MS = 30_000;
const MAX_KNOWN = 100_000;

export type Links = ReturnType<typeof createLinks>;

/** Links between a CDP's segments and Snapchat's: stored once, by key, whichever process meets the key first. */
export function createLinks({ records, outbox }: Pick<Storage, "records" | "outbox">, clock: Clock) {
  const known = new Map<string, Known>();

  function remember(ref: SegmentLinkRef, credentialId: string, link: Pick<SegmentLink, "state"> | undefined): void {
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(segmentLinkKey(ref), {
      credentialId,
      stopped: link?.state === "stopped",
      until: clock.monotonic() + KNOWN_MS,
    });
  }

  async function make(destination: ActiveDestination, segment: CdpSegment): Promise<SegmentLink> {
    const { tenantId, id: destinationId } = destination;
    const credentialId = credentialOf(destination);
    const ref: SegmentLinkRef = { tenantId, destinationId, link: segment.link };
    let link = (await readSegmentLink(records, ref))?.link;
    if (!link) {
      await writeSegmentLink(records, ref, newLink(destination, segment), 0).catch(ignoreConflict);
      link = (await readSegmentLink(records, ref))?.link ?? newLink(destination, segment);
    } else if (link.released) {
      // The destination has moved back to this ad account.
      link = (await changeSegmentLink(records, ref, ({ released: _, ...own }) => own)) ?? link;
    }
    await outbox.open([segmentGroup(ref, credentialId)]);
    remember(ref, credentialId, link);
    return link;
  }

  return {
    /**
     * Makes a segment's link and queue known. At once for one that this process knows. `stopped`: a person decided that
     * it is not kept in step.
     */
    ensure(destination: ActiveDestination, segment: CdpSegment): "open" | "stopped" | Promise<"open" | "stopped"> {
      const ref = { tenantId: destination.tenantId, destinationId: destination.id, link: segment.link };
      const found = known.get(segmentLinkKey(ref));
      if (found && found.credentialId === credentialOf(destination) && found.until > clock.monotonic()) {
        return found.stopped ? "stopped" : "open";
      }
      return make(destination, segment).then(({ state }) => (state === "stopped" ? "stopped" : "open"));
    },

    make,

    /** Where the segment of a key is, in the destination's ad account. */
    refOf(destination: ActiveDestination, key: string): SegmentLinkRef {
      const { tenantId, id: destinationId, adAccountId = "" } = destination;
      return { tenantId, destinationId, link: segmentLink(adAccountId, key) };
    },

    ofDestination: (tenantId: string, destinationId: string) =>
      segmentLinks(records, segmentLinkKey({ tenantId, destinationId, link: "" })),

    async reopen(ref: SegmentLinkRef, credentialId: string): Promise<void> {
      await outbox.open([segmentGroup(ref, credentialId)]);
      known.delete(segmentLinkKey(ref));
    },

    /** What this process knows of it is out of date. */
    changed(ref: SegmentLinkRef): void {
      known.delete(segmentLinkKey(ref));
    },

    async forget(ref: SegmentLinkRef): Promise<void> {
      await records.delete(segmentLinkKey(ref));
      known.delete(segmentLinkKey(ref));
    },
  };
}

function newLink(destination: ActiveDestination, segment: CdpSegment): SegmentLink {
  const { description, retentionInDays } = destination.settings.audience ?? {};
  return {
    key: segment.key,
    name: nameOf(destination, segment),
    adAccountId: destination.adAccountId ?? "",
    ...(description === undefined ? {} : { description }),
    ...(retentionInDays === undefined ? {} : { retentionInDays }),
    state: "new",
    generation: 0,
  };
}

/** The name in Ads Manager, by the destination's template. */
export function nameOf(destination: ActiveDestination, { key, name }: Pick<CdpSegment, "key" | "name">): string {
  const template = destination.settings.audience?.nameTemplate ?? DEFAULT_NAME;
  const text = template.replaceAll("{name}", () => name ?? key).replaceAll("{key}", () => key);
  return [...text].slice(0, LIMITS.segmentNameLength).join("");
}

function credentialOf({ tenantId, connectionId }: ActiveDestination): string {
  return connectionId === undefined
    ? `oauth/${encodeURIComponent(tenantId)}/none`
    : loginCredential(tenantId, connectionId);
}

function ignoreConflict(error: unknown): void {
  if ((error as { code?: unknown }).code !== "version_conflict") throw error;
}
