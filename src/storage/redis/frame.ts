/** Texts one behind the other, each with its length before it, so that none can be taken for another. */
export function framed(...texts: string[]): string {
  return texts.map((text) => `${Buffer.byteLength(text)}:${text}`).join("");
}

/** The texts of {@link framed}. */
export function unframed(bytes: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const colon = bytes.indexOf(0x3a, at);
    const end = colon + 1 + Number(bytes.toString("latin1", at, colon));
    texts.push(bytes.toString("utf8", colon + 1, end));
    at = end;
  }
  return texts;
}

/** Collects texts and bytes for one argument of a script: a command of few arguments is cheaper on both sides. */
export class Frame {
  readonly #parts: (string | Uint8Array)[] = [];

  add(...parts: (string | Uint8Array)[]): void {
    this.#parts.push(...parts);
  }

  /** Copies: what the caller does with its bytes afterwards changes nothing. */
  bytes(head = ""): Buffer {
    const parts = [head, ...this.#parts];
    let length = 0;
    for (const part of parts) length += typeof part === "string" ? Buffer.byteLength(part) : part.byteLength;
    const bytes = Buffer.allocUnsafe(length);
    let at = 0;
    for (const part of parts) {
      if (typeof part === "string") {
        at += bytes.write(part, at);
      } else {
        bytes.set(part, at);
        at += part.byteLength;
      }
    }
    return bytes;
  }
}

/** Times and durations cross as whole milliseconds, rounded up: nothing comes earlier than it was asked for. */
export function whole(ms: number): string {
  return String(Math.max(0, Math.ceil(ms)));
}
