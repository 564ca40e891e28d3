import { SnapchatError } from "../../errors.ts";
import type { HostMember } from "../../plugins/index.ts";
import { decoded } from "./decode.ts";
import type { ListRow, TextSource } from "./row.ts";

/** Columns of a member list. */
type Column = keyof HostMember;

/** How a CSV list is read. */
export interface CsvOptions {
  /**
   * Names of columns as the file's header writes them, one or several a field. Absent: the usual ones
   * (`email`, `phone`, `mobile_ad_id`, `idfa`, `user_id`, …, hashed or not).
   */
  columns?: Partial<Record<Column, string | readonly string[]>>;
  /** Default: `,`, `;` or a tab, whichever the header holds most. */
  delimiter?: string;
}

/** Names that people and exports give to columns, folded. */
const USUAL: Readonly<Record<Column, readonly string[]>> = {
  email: ["email", "emailaddress", "mail", "mailaddress", "emailsha256", "hashedemail", "sha256email", "em"],
  phone: ["phone", "phonenumber", "mobile", "mobilephone", "telephone", "tel", "phonesha256", "hashedphone", "ph"],
  mobileAdId: ["mobileadid", "mobileadvertisingid", "madid", "maid", "idfa", "gaid", "aaid", "adid", "advertisingid"],
  personKey: ["personkey", "userid", "customerid", "externalid", "customerlabsuserid"],
};
const COLUMNS = Object.keys(USUAL) as Column[];

/** More than any line about a person has. UTF-16 code units. */
const MAX_RECORD_SIZE = 64 * 1024;

/**
 * Members from CSV (RFC 4180) with a header, read as it comes: quotes, a byte-order mark, UTF-16, empty lines and lines
 * of the wrong length. A line that cannot be used is handed on with its reason, and the rest goes on.
 *
 * @throws {SnapchatError} `csv_header_unknown` (fix_data) where no column is known: while it is read
 * @example
 * ```ts
 * import { createReadStream } from "node:fs";
 * import { csvMembers } from "snapchat-destination/audiences";
 *
 * for await (const row of csvMembers(createReadStream("vip.csv"), { columns: { email: "Customer e-mail" } })) {
 *   if ("unusable" in row) console.log(row.unusable);
 * }
 * ```
 */
export async function* csvMembers(source: TextSource, options: CsvOptions = {}): AsyncGenerator<ListRow> {
  const { parse } = await import("csv-parse/sync");
  let fields: (Column | undefined)[] | undefined;
  let read: ((text: string) => string[][]) | undefined;
  for await (const batch of recordsOf(decoded(source))) {
    const delimiter = options.delimiter ?? delimiterOf(batch[0] ?? "");
    read ??= (text) => parse(text, { delimiter, relax_column_count: true, skip_empty_lines: true, trim: true });
    for (const record of parsed(batch, read)) {
      if (record === undefined) yield { unusable: "row_malformed" };
      else if (fields) yield rowOf(record, fields);
      else fields = fieldsOf(record, options);
    }
  }
  if (!fields) throw headerUnknown(0);
}

/** Many records at once, which is quick; where one of them is broken each alone, so that it costs itself only. */
function* parsed(batch: readonly string[], read: (text: string) => string[][]): Generator<string[] | undefined> {
  try {
    yield* read(batch.join("\n"));
    return;
  } catch {
    // One of them.
  }
  for (const text of batch) {
    let records: (string[] | undefined)[];
    try {
      records = read(text);
    } catch {
      records = [undefined];
    }
    yield* records;
  }
}

/** Whole records of a text in pieces: lines, joined while a quotation is open. */
async function* recordsOf(texts: AsyncIterable<string>): AsyncGenerator<string[]> {
  let partial = "";
  let open: string[] = [];
  let batch: string[] = [];

  function take(line: string): void {
    open.push(line.endsWith("\r") ? line.slice(0, -1) : line);
    const record = open.join("\n");
    const closed = record.split('"').length % 2 === 1;
    if (closed) {
      if (record.trim() !== "") batch.push(record);
      open = [];
    } else if (record.length > MAX_RECORD_SIZE) giveUp();
  }

  /** A quotation that never ends: its first line is broken, the others are lines of their own. */
  function giveUp(): void {
    const [first = "", ...others] = open;
    open = [];
    batch.push(first);
    for (const line of others) take(line);
  }

  for await (const text of texts) {
    const lines = (partial + text).split("\n");
    partial = lines.pop() ?? "";
    for (const line of lines) take(line);
    if (partial.length > MAX_RECORD_SIZE) {
      take(partial);
      partial = "";
    }
    if (batch.length > 0) yield batch;
    batch = [];
  }
  if (partial !== "") take(partial);
  while (open.length > 0) giveUp();
  if (batch.length > 0) yield batch;
}

function fieldsOf(header: readonly string[], { columns = {} }: CsvOptions): (Column | undefined)[] {
  const names = new Map<string, Column>();
  for (const column of COLUMNS) {
    const own = columns[column];
    for (const name of own === undefined ? USUAL[column] : [own].flat()) names.set(fold(name), column);
  }
  const fields = header.map((name) => names.get(fold(name)));
  if (fields.some((field) => field !== undefined && field !== "personKey")) return fields;
  throw headerUnknown(header.length);
}

function rowOf(record: readonly string[], fields: readonly (Column | undefined)[]): ListRow {
  if (record.length < fields.length && record.every((value) => value === "")) return { unusable: "row_empty" };
  // Spreadsheets end lines with delimiters too many; anything behind them means that columns have moved.
  if (record.slice(fields.length).some((value) => value !== "")) return { unusable: "row_malformed" };
  const row: Record<Column, string[]> = { email: [], phone: [], mobileAdId: [], personKey: [] };
  for (const [index, value] of record.entries()) {
    const field = fields[index];
    if (field !== undefined && value !== "") row[field].push(value);
  }
  const [personKey] = row.personKey;
  if (row.email.length + row.phone.length + row.mobileAdId.length === 0) return { unusable: "row_empty" };
  return {
    ...(row.email.length > 0 ? { email: row.email } : {}),
    ...(row.phone.length > 0 ? { phone: row.phone } : {}),
    ...(row.mobileAdId.length > 0 ? { mobileAdId: row.mobileAdId } : {}),
    ...(personKey === undefined ? {} : { personKey }),
  };
}

/** The delimiter that the first line holds most of, outside quotation marks. */
function delimiterOf(head: string): string {
  const line = /^[^\r\n]*/.exec(head.replace(/"[^"]*"/g, ""))?.[0] ?? "";
  const counts = [",", ";", "\t"].map((delimiter) => [delimiter, line.split(delimiter).length] as const);
  return counts.reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}

/** Letters and digits alone: `E-mail address` and `email_address` are one name. */
function fold(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}

function headerUnknown(columns: number): SnapchatError {
  // The names are not repeated: a file without a header has a person in its first line.
  return new SnapchatError({
    code: "csv_header_unknown",
    kind: "fix_data",
    message: `None of the ${columns} columns in the first line is known to hold e-mail addresses, phone numbers or mobile advertising ids.`,
    fix: "Give the file a header, or name its columns: csvMembers(source, { columns: { email: 'Customer e-mail' } }).",
    details: { columns },
  });
}
