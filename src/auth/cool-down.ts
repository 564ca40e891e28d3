import { type ErrorKind, isSnapchatError, SnapchatError } from "../errors.ts";
import { connectionKeys } from "./connection.ts";
import { patiently } from "./sealed-records.ts";
import type { VaultContext } from "./vault-context.ts";

/** After a failed refresh nobody asks again for a while, in any process. */
interface CoolDown {
  failures: number;
  untilMs: number;
  code: string;
  kind: ErrorKind;
  fix: string;
}

const LONGEST_MS = 60_000;
const FORGOTTEN_AFTER_MS = 600_000;

type Context = Pick<VaultContext, "records" | "clock" | "now" | "times" | "jitter">;

/** @throws {SnapchatError} `refresh_cooling_down`, of the failure's kind, with the time that is left */
export async function readCoolDown(context: Context, tenantId: string, id: string): Promise<void> {
  const found = await find(context, tenantId, id);
  const left = found ? found.untilMs - (await context.now()) : 0;
  if (found && left > 0) throw cooling(id, found, Math.ceil(left));
}

/** Notes a failure and answers the error to throw: the failure itself, with the wait that it brings. */
export async function startCoolDown(
  context: Context,
  tenantId: string,
  id: string,
  failure: SnapchatError,
): Promise<SnapchatError> {
  try {
    const failures = 1 + ((await find(context, tenantId, id))?.failures ?? 0);
    const growing = Math.min(LONGEST_MS, context.times.coolDownMs * 2 ** Math.min(failures - 1, 10));
    const waitMs = Math.max(failure.retryAfterMs ?? 0, Math.round(growing * (0.5 + context.jitter() / 2)));
    const note: CoolDown = {
      failures,
      untilMs: (await context.now()) + waitMs,
      code: failure.code,
      kind: failure.kind,
      fix: failure.fix,
    };
    const value = new TextEncoder().encode(`\u0001${JSON.stringify(note)}`);
    const key = connectionKeys.coolDown(tenantId, id);
    await patiently(() => context.records.put(key, value, { ttlMs: waitMs + FORGOTTEN_AFTER_MS }), context.clock);
    const { code, kind, message, fix, details } = failure;
    return new SnapchatError({ code, kind, message, fix, details, retryAfterMs: waitMs });
  } catch (error) {
    return isSnapchatError(error) ? error : failure;
  }
}

export async function clearCoolDown(context: Context, tenantId: string, id: string): Promise<void> {
  await patiently(() => context.records.delete(connectionKeys.coolDown(tenantId, id)), context.clock).catch(
    () => false,
  );
}

async function find(context: Context, tenantId: string, id: string): Promise<CoolDown | undefined> {
  const record = await patiently(() => context.records.get(connectionKeys.coolDown(tenantId, id)), context.clock);
  return record && (JSON.parse(new TextDecoder().decode(record.value.subarray(1))) as CoolDown);
}

function cooling(id: string, { code, kind, fix }: CoolDown, retryAfterMs: number): SnapchatError {
  return new SnapchatError({
    code: "refresh_cooling_down",
    kind,
    message: `The last try to get a new access token failed a moment ago (${code}).`,
    fix,
    details: { connectionId: id, reason: code },
    retryAfterMs,
  });
}
