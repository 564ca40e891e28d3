/** Texts that need no escape in JSON: ASCII without quote, backslash and control characters. */
const SAFE = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const LONE_SURROGATES = /\p{Surrogate}/gu;

/** A text as JSON. Half a surrogate pair, which strict readers refuse, becomes the replacement character. */
export function quote(text: string): string {
  // Measured: below some 40 characters the test is cheaper than the call, above it the call.
  if (text.length < 40 && SAFE.test(text)) return `"${text}"`;
  const json = JSON.stringify(text);
  // Only half a pair is escaped as `\udxxx`; a backslash of the text itself comes doubled, and is looked at again.
  return json.includes("\\ud") ? JSON.stringify(text.replace(LONE_SURROGATES, "\ufffd")) : json;
}

/** As SAFE, without `@` and `%`, and not beginning with a blank, a plus or a bracket. */
const PLAIN = /^[\x2c-\x3f\x41-\x5b\x5d-\x7e][\x20\x21\x23\x24\x26-\x3f\x41-\x5b\x5d-\x7e]*$/;

/** Whether a text is short, needs no escape and cannot hold an address or a full phone number: most ids and words. */
export function isPlainWord(text: string): boolean {
  return text.length <= 40 && PLAIN.test(text);
}
