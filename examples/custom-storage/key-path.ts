const SLASH = 0x2f;
/** Names of files may be 255 bytes long, and a byte of a key takes two. */
const MAX_CHUNK = 100;
const FILE = ".record";
const DIRECTORY = "_";

/**
 * Where the record of a key lies: a directory for each part that ends in "/", so that a prefix is a directory, and for
 * each 100 bytes of longer parts. Names are hexadecimal: whatever the key holds, and blind to the file system's ideas of
 * case and Unicode. Sorted as text, the names of a directory are in byte order of their keys: `.` sorts before every
 * digit and before `_`.
 */
export function pathOfKey(key: string): { directories: string[]; file: string } {
  const bytes = Buffer.from(key);
  const directories: string[] = [];
  let from = 0;
  for (;;) {
    const slash = bytes.subarray(from, from + MAX_CHUNK).indexOf(SLASH);
    const end = from + (slash < 0 ? MAX_CHUNK : slash + 1);
    if (end >= bytes.length) return { directories, file: bytes.toString("hex", from) + FILE };
    directories.push(bytes.toString("hex", from, end) + DIRECTORY);
    from = end;
  }
}

/** What a name in a directory stands for; `undefined` for a file that is not ours. */
export function readName(name: string): { kind: "file" | "directory"; bytes: Buffer } | undefined {
  if (name.endsWith(FILE)) return { kind: "file", bytes: Buffer.from(name.slice(0, -FILE.length), "hex") };
  if (name.endsWith(DIRECTORY)) return { kind: "directory", bytes: Buffer.from(name.slice(0, -1), "hex") };
  return undefined;
}
