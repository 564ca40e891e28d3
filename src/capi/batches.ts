import type { Item } from "./isolate.ts";

/** Bytes of a text in UTF-8. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

/** Room for `{"data":[…],"test_event_code":"…"}` around the events. */
const ENVELOPE_BYTES = 512;

/** Splits events into requests: at most `maxEvents` and `maxBytes` each, in order. One that fits in none comes alone. */
export function batchesOf(items: readonly Item[], maxEvents: number, maxBytes: number): Item[][] {
  const batches: Item[][] = [];
  let batch: Item[] = [];
  let bytes = ENVELOPE_BYTES;
  for (const item of items) {
    const size = byteLength(item.json) + 1;
    if (batch.length > 0 && (batch.length >= maxEvents || bytes + size > maxBytes)) {
      batches.push(batch);
      batch = [];
      bytes = ENVELOPE_BYTES;
    }
    batch.push(item);
    bytes += size;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

/** The body of a request: texts made once are joined, never parsed again. */
export function bodyOf(items: readonly Item[], testEventCode: string | undefined): string {
  let json = '{"data":[';
  for (let i = 0; i < items.length; i++) json += (i === 0 ? "" : ",") + (items[i] as Item).json;
  return testEventCode === undefined ? `${json}]}` : `${json}],"test_event_code":${JSON.stringify(testEventCode)}}`;
}
