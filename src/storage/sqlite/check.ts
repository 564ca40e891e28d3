import { statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Finding } from "../ports.ts";
import type { Connection } from "./connection.ts";

/** Linux's names for where a file lies, by the number that statfs answers. */
const IN_MEMORY = new Set([0x01021994, 0x858458f6]);
const NETWORK = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB"],
  [0x01021997, "9P"],
]);
const LITTLE_BYTES = 256 * 1024 * 1024;
const OTHERS_MAY_READ = 0o004;

/** What stands between this file and its promises. */
export function findings(connection: Connection, path: string, durability: string): Finding[] {
  const mode = connection.database?.prepare("PRAGMA journal_mode").get()?.journal_mode;
  return [
    ...(mode === "wal" ? [] : [noWal(String(mode))]),
    ...(durability === "process" ? [PROCESS] : []),
    ...place(path),
    ...rights(path),
  ];
}

export const IN_MEMORY_DATABASE: Finding = {
  code: "durability_none",
  severity: "problem",
  message: "The database is in memory and lost when the process ends.",
  fix: "Give sqlite() the path of a file.",
};

const PROCESS: Finding = {
  code: "durability_process",
  severity: "warning",
  message: "Commits do not wait for the disk: a power loss takes the last moments, also of what was acknowledged.",
  fix: 'Leave `durability` at "power-loss", unless losing them is fine.',
};

const noWal = (mode: string): Finding => ({
  code: "no_wal",
  severity: "problem",
  message: `The file's journal mode is ${mode}, not WAL: readers and writers wait for each other.`,
  fix: "Put the file on a local disk; network file systems do not support WAL.",
});

function place(path: string): Finding[] {
  const { type, bavail, bsize } = statfsSync(dirname(path));
  const found: Finding[] = [];
  const network = NETWORK.get(type);
  if (IN_MEMORY.has(type)) {
    found.push({
      code: "file_in_memory",
      severity: "problem",
      message: "The file lies on a file system in memory and is lost when the machine restarts.",
      fix: "Put the file on a disk.",
    });
  }
  if (network !== undefined) {
    found.push({
      code: "network_file_system",
      severity: "problem",
      message: `The file lies on a network file system (${network}), whose locks SQLite cannot rely on.`,
      fix: "Put the file on a local disk, or use a server: Postgres, Redis.",
    });
  }
  if (bavail * bsize < LITTLE_BYTES) {
    found.push({
      code: "disk_nearly_full",
      severity: "warning",
      message: `${Math.floor((bavail * bsize) / 1_048_576)} MB are left on the file's disk; when it is full, nothing is taken.`,
      fix: "Free space on the disk.",
    });
  }
  return found;
}

function rights(path: string): Finding[] {
  if (process.platform === "win32" || (statSync(path).mode & OTHERS_MAY_READ) === 0) return [];
  return [
    {
      code: "file_readable_by_all",
      severity: "warning",
      message: "Every user of the machine may read the file: it holds sealed tokens and hashed identifiers.",
      fix: "Take the right from others: chmod o-rwx on the file, and on its directory for the files beside it.",
    },
  ];
}
