import type { Parser } from "csv-parse";
import { SnapchatError } from "../../errors.ts";
import type { HostMember } from "../../plugins/index.ts";
import { decoded } from "./decode.ts";
import type { ListRow, TextSource } from "./row.ts";

/** Columns of a member list. */
type Column = keyof HostMember;

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
  const { parse } = await import("csv-parse");
  const texts = decoded(source);
  const { value: head = "" } = (await texts.next()) as { value?: string };
  let fields: (Column | undefined)[] | undefined;
  let malformed = 0;
  const parser: Parser = parse({
    delimiter: options.delimiter ?? delimiterOf(head),
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    max_record_size: MAX_RECORD_SIZE,
    trim: true,
    on_skip: () => {
      malformed++;
    },
  });
  for await (const record of parsed(parser, head, texts)) {
    for (; malformed > 0; malformed--) yield { unusable: "row_malformed" };
    if (!fields) {
      fields = fieldsOf(record, options);
      continue;
    }
    yield rowOf(record, fields);
  }
  for (; malformed > 0; malformed--) yield { unusable: "row_malformed" };
  if (!fields) throw headerUnknown(0);
}

/** Feeds the parser piece by piece and takes out what it has, so that neither side runs ahead. */
async function* parsed(parser: Parser, head: string, texts: AsyncGenerator<string>): AsyncGenerator<string[]> {
  let failed: Error | undefined;
  parser.once("error", (error) => {
    failed = error;
  });
  const ended = new Promise<void>((resolve) => {
    parser.once("close", resolve);
    parser.once("end", resolve);
  });
  async function* all() {
    yield head;
    yield* texts;
  }
  for await (const text of all()) {
    await new Promise<void>((resolve) => parser.write(text, () => resolve()));
    yield* taken(parser);
    if (failed) throw failed;
  }
  parser.end();
  let over = false;
  void ended.then(() => {
    over = true;
  });
  while (!over) {
    yield* taken(parser);
    await Promise.race([ended, new Promise((resolve) => setImmediate(resolve))]);
  }
  yield* taken(parser);
  if (failed) throw failed;
}

function* taken(parser: Parser): Generator<string[]> {
  for (let record = parser.read() as string[] | null; record !== null; record = parser.read() as string[] | null) {
    yield record;
  }
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
