import type { HostMember } from "../../plugins/index.ts";
import { isRecord } from "../answer.ts";
import { decoded } from "./decode.ts";
import type { ListRow, TextSource } from "./row.ts";

/** A line longer than this is no person. UTF-16 code units. */
const MAX_LINE = 64 * 1024;

/**
 * Members from lines of JSON, each an object with `email`, `phone`, `mobileAdId` (a text or a list of texts) and
 * `personKey`. A line that cannot be used is handed on with its reason, and the rest goes on.
 *
 * @example
 * ```ts
 * import { createReadStream } from "node:fs";
 * import { ndjsonMembers } from "snapchat-destination/audiences";
 *
 * for await (const row of ndjsonMembers(createReadStream("vip.ndjson"))) {
 *   if ("unusable" in row) console.log(row.unusable);
 * }
 * ```
 */
export async function* ndjsonMembers(source: TextSource): AsyncGenerator<ListRow> {
  let open = "";
  let overlong = false;
  for await (const text of decoded(source)) {
    let from = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      const row = overlong ? MALFORMED : readLine(open + text.slice(from, end));
      open = "";
      overlong = false;
      from = end + 1;
      if (row) yield row;
    }
    if (!overlong) open += text.slice(from);
    if (open.length > MAX_LINE) {
      open = "";
      overlong = true;
    }
  }
  const last = overlong ? MALFORMED : readLine(open);
  if (last) yield last;
}

const MALFORMED: ListRow = { unusable: "row_malformed" };

function readLine(line: string): ListRow | undefined {
  if (line.trim() === "") return undefined;
  try {
    const row: unknown = JSON.parse(line);
    return isRecord(row) ? (row as HostMember) : MALFORMED;
  } catch {
    return MALFORMED;
  }
}
