/** Texts that need no escape in JSON: ASCII without quote, backslash and control characters. */
const SAFE = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const LONE_SURROGATES = /\p{Surrogate}/gu;

/** A text as JSON. Half a surrogate pair, which strict readers refuse, becomes the replacement character. */
export function quote(text: string): string {
  return SAFE.test(text) ? `"${text}"` : JSON.stringify(text.replace(LONE_SURROGATES, "\ufffd"));
}
