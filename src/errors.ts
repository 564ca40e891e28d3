/**
 * What the caller should do about a failure.
 *
 * - `retry`: the same call may succeed later; nothing has to change.
 * - `reauthorize`: a person has to sign in at Snapchat again.
 * - `fix_configuration`: a setting of the host or of the destination is wrong.
 * - `fix_data`: the input is wrong; the same input fails again.
 * - `capacity`: a limit is reached; slow down or raise it.
 * - `bug`: an invariant of this package does not hold; please report it.
 */
export type ErrorKind = "retry" | "reauthorize" | "fix_configuration" | "fix_data" | "capacity" | "bug";

/** Facts about a failure that are safe to log: never a payload, a token or a person. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | undefined>>;

/** What a {@link SnapchatError} is made of. */
export interface SnapchatErrorInit {
  /** Stable, `snake_case`; documented in `docs/errors.md`. */
  code: string;
  kind: ErrorKind;
  /** What happened, in one sentence. */
  message: string;
  /** What to do about it, in one sentence. */
  fix: string;
  details?: ErrorDetails;
  /** Wait at least this long before the next try. Milliseconds. */
  retryAfterMs?: number;
}

const BRAND = Symbol.for("snapchat-destination.error");

/**
 * The one error type of this package.
 *
 * It carries a stable `code`, a `kind` that says what to do, a `message` that says what happened and a `fix`.
 * It never carries a payload, a token or another library's error as `cause`.
 *
 * @example
 * ```ts
 * import { isSnapchatError } from "snapchat-destination";
 *
 * export function shouldRetry(error: unknown): boolean {
 *   return isSnapchatError(error) && error.kind === "retry";
 * }
 * ```
 */
export class SnapchatError extends Error {
  override readonly name = "SnapchatError";
  readonly code: string;
  readonly kind: ErrorKind;
  readonly fix: string;
  readonly details: ErrorDetails;
  readonly retryAfterMs: number | undefined;
  readonly [BRAND] = true;

  constructor(init: SnapchatErrorInit) {
    super(redact(init.message));
    this.code = init.code;
    this.kind = init.kind;
    this.fix = init.fix;
    this.details = redactDetails(init.details ?? {});
    this.retryAfterMs = init.retryAfterMs;
  }

  /** The same facts as plain data, for a log line or an API answer. */
  toJSON(): Record<string, unknown> {
    const { name, code, kind, message, fix, details, retryAfterMs } = this;
    return { name, code, kind, message, fix, details, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
}

/**
 * True for a `SnapchatError` of this or another copy of the package in the process.
 *
 * @example
 * ```ts
 * import { isSnapchatError, type Tenant } from "snapchat-destination";
 *
 * export async function offer(acme: Tenant, events: unknown[]) {
 *   try {
 *     return await acme.track(events);
 *   } catch (error) {
 *     if (isSnapchatError(error) && error.kind === "retry") return "again later";
 *     throw error;
 *   }
 * }
 * ```
 */
export function isSnapchatError(error: unknown): error is SnapchatError {
  return typeof error === "object" && error !== null && (error as Record<symbol, unknown>)[BRAND] === true;
}

/**
 * A text that must not be printed: a token, a client secret, a key.
 * It shows as `[secret]` in strings, JSON and `console.log`; only {@link Secret.reveal} gives the text.
 *
 * @example
 * ```ts
 * import { Secret } from "snapchat-destination";
 *
 * const token = new Secret("EBH…");
 * console.log(`${token}`, JSON.stringify({ token })); // [secret] {"token":"[secret]"}
 * token.reveal(); // "EBH…", for the one place that sends it
 * ```
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself. Call it where it leaves for Snapchat, nowhere else. */
  reveal(): string {
    return this.#text;
  }

  /** The last four characters behind an ellipsis, for a settings page: `…3f9a`. Shorter texts show nothing. */
  masked(): string {
    return this.#text.length >= 12 ? `…${this.#text.slice(-4)}` : "…";
  }

  /** `[secret]`. */
  toString(): string {
    return "[secret]";
  }

  /** `[secret]`. */
  toJSON(): string {
    return "[secret]";
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[secret]";
  }
}

const SECRET_PATTERNS: readonly [RegExp, string][] = [
  [/\b(access_token|refresh_token|client_secret|code|id_token)=[^&\s"']+/gi, "$1=[redacted]"],
  [/\b(Bearer|Basic)\s+[\w~+/.=-]+/gi, "$1 [redacted]"],
  [/\b[\w-]{10,}\.[\w-]*\.[\w-]{5,}(?:\.[\w-]*\.[\w-]*)?\b/g, "[redacted]"],
  [/\b[0-9a-f]{64}\b/gi, "[redacted]"],
  [/[^\s"'<>@=:,;()]+@[^\s"'<>@,;()]+\.[^\s"'<>@,;()]+/g, "[redacted]"],
];

/**
 * Removes what must not be printed from a text of foreign origin: query tokens, authorization headers, signed
 * tokens, digests and mail addresses. Our own texts never hold them; this is the net below.
 */
export function redact(text: string): string {
  let safe = text.length > 2_000 ? `${text.slice(0, 2_000)}…` : text;
  for (const [pattern, replacement] of SECRET_PATTERNS) safe = safe.replace(pattern, replacement);
  return safe;
}

function redactDetails(details: ErrorDetails): ErrorDetails {
  const safe: Record<string, string | number | boolean | undefined> = {};
  for (const [key, value] of Object.entries(details)) safe[key] = typeof value === "string" ? redact(value) : value;
  return safe;
}

/** A stored record's first byte is not the format that this version reads. */
export function unreadableRecord(format: number | undefined, reads: number): SnapchatError {
  const newer = (format ?? 0) > reads;
  return new SnapchatError({
    code: newer ? "record_too_new" : "record_corrupt",
    kind: "fix_configuration",
    message: `A stored record has format ${format ?? "none"}, this version reads ${reads}.`,
    fix: newer
      ? "Run the version of snapchat-destination that wrote the database, or a newer one."
      : "Restore the record from a backup of the database.",
  });
}
