import { describe, expect, it } from "vitest";
import { csvMembers, type ListRow, ndjsonMembers, progressLine, type SyncProgress } from "../../src/audiences/index.ts";

async function all(rows: AsyncIterable<ListRow>): Promise<ListRow[]> {
  const found: ListRow[] = [];
  for await (const row of rows) found.push(row);
  return found;
}

/** The same bytes in pieces of every size, so that no cut matters. */
const pieces = (bytes: Buffer, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size));

describe("CSV", () => {
  const text =
    'E-mail Address,Phone,Customer ID,Note\r\n"jane, or not@example.com",,1,"two\r\nlines"\r\n\r\nMÜNCHEN@example.com,+49 89 1,2,\r\n';
  const wanted = [
    { email: ["jane, or not@example.com"], personKey: "1" },
    { email: ["MÜNCHEN@example.com"], phone: ["+49 89 1"], personKey: "2" },
  ];

  it.each([1, 2, 3, 7, 1_000])(
    "is read from pieces of %i bytes, in UTF-8 with and without a mark and in UTF-16",
    async (size) => {
      expect(await all(csvMembers(pieces(Buffer.from(text), size)))).toEqual(wanted);
      expect(await all(csvMembers(pieces(Buffer.from(`\ufeff${text}`), Math.max(3, size))))).toEqual(wanted);
      expect(await all(csvMembers(pieces(Buffer.from(`\ufeff${text}`, "utf16le"), Math.max(2, size))))).toEqual(wanted);
    },
  );

  it("takes semicolons and tabs by its header, and columns that the host names", async () => {
    expect(await all(csvMembers("mail;phone\na@b.co;1;\na@b.co;1;2\n"))).toEqual([
      { email: ["a@b.co"], phone: ["1"] },
      { unusable: "row_malformed" },
    ]);
    expect(await all(csvMembers("mail\tphone\na@b.co\t1\n"))).toEqual([{ email: ["a@b.co"], phone: ["1"] }]);
    const columns = { email: ["Kunde", "Zweitadresse"] };
    expect(await all(csvMembers("Kunde,Zweitadresse\na@b.co,c@d.co\n", { columns }))).toEqual([
      { email: ["a@b.co", "c@d.co"] },
    ]);
  });

  it("hands on what it cannot use, with the reason, and goes on", async () => {
    const foreign = Buffer.concat([
      Buffer.from("email\n"),
      Buffer.from([0x6a, 0xfc, 0x40, 0x62, 0x2e, 0x63, 0x6f, 0x0a]),
      Buffer.from("a@b.co\n"),
    ]);
    const rows = await all(csvMembers([foreign]));
    expect(rows).toHaveLength(2);
    expect(rows[1]).toEqual({ email: ["a@b.co"] });
    const broken = 'email,phone\n"broken"x,\na@b.co\n"never closed\nc@b.co\n,\n';
    expect(await all(csvMembers(pieces(Buffer.from(broken), 4)))).toEqual([
      { unusable: "row_malformed" },
      { email: ["a@b.co"] },
      { unusable: "row_malformed" },
      { email: ["c@b.co"] },
      { unusable: "row_empty" },
    ]);
  });

  it("fails at once on a header without a known column, and repeats nothing of it", async () => {
    const failure = await all(csvMembers("jane@example.com,4711\njoe@example.com,4712\n")).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: "csv_header_unknown", kind: "fix_data" });
    expect(JSON.stringify(failure)).not.toContain("jane");
    await expect(all(csvMembers(""))).rejects.toMatchObject({ code: "csv_header_unknown" });
    await expect(all(csvMembers("user_id\n1\n"))).rejects.toMatchObject({ code: "csv_header_unknown" });
  });

  it("reads a file of any size without holding it", async () => {
    function* lines() {
      yield "email\n";
      for (let n = 0; n < 50_000; n++) yield `person-${n}@example.com\n`;
    }
    let count = 0;
    for await (const _ of csvMembers(lines())) count++;
    expect(count).toBe(50_000);
  });
});

describe("NDJSON", () => {
  it.each([1, 5, 1_000])("is read from pieces of %i bytes", async (size) => {
    const text = '{"email":"é@example.com"}\r\n\n[1]\n{"x"\n{"phone":["1","2"],"personKey":"p"}';
    expect(await all(ndjsonMembers(pieces(Buffer.from(text), size)))).toEqual([
      { email: "é@example.com" },
      { unusable: "row_malformed" },
      { unusable: "row_malformed" },
      { phone: ["1", "2"], personKey: "p" },
    ]);
  });

  it("gives up a line that is none, not the file", async () => {
    function* endless() {
      for (let n = 0; n < 100; n++) yield "x".repeat(10_000);
      yield '\n{"email":"a@b.co"}\n';
    }
    expect(await all(ndjsonMembers(endless()))).toEqual([{ unusable: "row_malformed" }, { email: "a@b.co" }]);
  });
});

it("progress is a line with a bar", () => {
  const progress: SyncProgress = {
    runId: "a",
    mode: "mirror",
    phase: "reading",
    read: 520_000,
    unusable: {},
    identifiers: 520_000,
    new: 1_200,
    removed: 0,
    sent: 1_200,
    accepted: 1_200,
    requests: 1,
    size: 1_000_000,
    etaMs: 125_000,
  };
  expect(progressLine(progress)).toBe(
    "██████████░░░░░░░░░░ 52 % reading: 520,000 of 1,000,000 read, 1,200 new, 0 removed, 1,200 accepted, 2 min left",
  );
});
