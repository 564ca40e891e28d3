/** Longer texts are not looked at. UTF-16 code units. */
export const MAX_TEXT = 2_048;

/** The value as text, or `undefined` where it is neither text nor a whole number. Never calls a method of the value. */
export function toText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : undefined;
  if (typeof value === "bigint") return value.toString();
  return undefined;
}

/** White space and characters without a width (zero-width space and joiners, byte-order mark, direction marks, soft hyphen). */
function isStray(code: number): boolean {
  if (code <= 0x20) return true;
  if (code < 0x7f) return false;
  return (
    code <= 0xa0 ||
    code === 0xad ||
    code === 0x61c ||
    code === 0x1680 ||
    code === 0x180e ||
    (code >= 0x2000 && code <= 0x200f) ||
    (code >= 0x2028 && code <= 0x202f) ||
    (code >= 0x205f && code <= 0x206f) ||
    code === 0x3000 ||
    code === 0xfeff
  );
}

/** The text without stray characters at its ends; `String.trim` leaves the zero-width ones. */
export function trimStray(text: string): string {
  let start = 0;
  let end = text.length;
  // Beyond its ends a text has no characters, so none is stray.
  while (isStray(text.charCodeAt(start))) start++;
  while (isStray(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Whether the text needs no Unicode rules. */
export function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

const INVISIBLE = /[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g;

/** The text without characters that show nothing, wherever they stand. */
export function removeInvisible(text: string): string {
  return text.replace(INVISIBLE, "");
}

/** Lower case, composed. Composing comes last, because lower-casing can take a composed letter apart. */
export function lowerComposed(text: string): string {
  return text.toLowerCase().normalize("NFC");
}

const OTHER_DIGIT = /(?![0-9])\p{Nd}/gu;

/** Arabic, Devanagari and all other decimal digits as ASCII. Unicode keeps each script's ten in a row. */
export function asciiDigits(text: string): string {
  return text.replace(OTHER_DIGIT, (digit) => {
    const code = digit.codePointAt(0) ?? 0;
    let value = 0;
    while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - value - 1))) value++;
    return String(value);
  });
}
