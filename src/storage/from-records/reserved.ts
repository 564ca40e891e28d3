import { SnapchatError } from "../../errors.ts";
import { checkId, checkValue, MAX_KEY_BYTES } from "../checks.ts";
import type { Record_, Records } from "../ports.ts";
import { ROOT } from "./keys.ts";

/** Behind every key below {@link ROOT}. */
const BEHIND = `${ROOT}~`;

/** The host's records as the library sees them: without the keys under which the other ports keep theirs. */
export function withoutReserved(records: Records, maxValueBytes: number): Records {
  const { watch } = records;
  return {
    async get(key) {
      refuse(key);
      return records.get(key);
    },
    async put(key, value, o) {
      refuse(key);
      checkValue(key, value, maxValueBytes);
      return records.put(key, value.slice(), o);
    },
    async delete(key, o) {
      refuse(key);
      return records.delete(key, o);
    },
    async list(prefix, o) {
      checkId("record key", prefix, MAX_KEY_BYTES);
      if (prefix.startsWith(ROOT)) return [];
      if (!ROOT.startsWith(prefix)) return records.list(prefix, o);
      const found: Record_[] = [];
      let { after } = o;
      while (found.length < o.limit) {
        if (after?.startsWith(ROOT)) after = BEHIND;
        const limit = o.limit - found.length;
        const page = await records.list(prefix, { limit, ...(after === undefined ? {} : { after }) });
        found.push(...page.filter(({ key }) => !key.startsWith(ROOT)));
        if (page.length < limit) break;
        after = page.at(-1)?.key;
      }
      return found;
    },
    now: () => records.now(),
    ...(watch ? { watch: (prefix: string, signal: AbortSignal) => watch.call(records, prefix, signal) } : {}),
  };
}

function refuse(key: string): void {
  if (!key.startsWith(ROOT)) return;
  throw new SnapchatError({
    code: "reserved_key",
    kind: "bug",
    message: `Keys that begin with "${ROOT}" belong to the storage itself.`,
    fix: "Use another key.",
  });
}
