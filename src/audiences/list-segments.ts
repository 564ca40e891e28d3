import { entitiesOf, nextPath } from "./answer.ts";
import type { AudiencesCall } from "./call.ts";
import { readSegment, type Segment } from "./segment.ts";
import { type Channel, request, withRetries } from "./transport.ts";

/** One page of an account's segments. */
export interface SegmentPage {
  items: readonly Segment[];
  requestId: string | undefined;
}

/** A list that is read as it is walked. */
export interface SegmentList extends AsyncIterable<Segment> {
  /** The same, a page at a time, with the request id of each. */
  pages(): AsyncIterable<SegmentPage>;
}

const LABEL = "GET /adaccounts/{id}/segments";
/** The largest page Snapchat gives, which holds every segment an account may have. */
const PAGE_SIZE = 1_000;

/** All segments of an ad account. */
export function listSegments(channel: Channel, adAccountId: string, call: AudiencesCall): SegmentList {
  async function* pages(): AsyncGenerator<SegmentPage> {
    let path: string | undefined = `/adaccounts/${encodeURIComponent(adAccountId)}/segments?limit=${PAGE_SIZE}`;
    while (path !== undefined) {
      const at: string = path;
      const { items, response } = await withRetries(channel, call, async () => {
        const answer = await request(channel, call, () => {}, { method: "GET", path: at, label: LABEL });
        return { items: entitiesOf(answer, LABEL).map(readSegment), response: answer };
      });
      yield { items, requestId: response.requestId };
      path = nextPath(response, channel.origin, LABEL);
    }
  }

  return {
    pages,
    async *[Symbol.asyncIterator]() {
      for await (const { items } of pages()) yield* items;
    },
  };
}
