/** 64 hexadecimal characters, and whether any is upper-case. A loop: this runs about ten times an event. */
export function digestKind(value: string): "lower" | "upper" | "none" {
  if (value.length !== 64) return "none";
  let upper = false;
  for (let i = 0; i < 64; i++) {
    const c = value.charCodeAt(i);
    if ((c >= 48 && c <= 57) || (c >= 97 && c <= 102)) continue;
    if (c >= 65 && c <= 70) upper = true;
    else return "none";
  }
  return upper ? "upper" : "lower";
}

/** Digests of the empty text, `null`, `undefined` and an empty list or object as text. */
export const DIGESTS_OF_NOTHING: ReadonlySet<string> = new Set([
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b",
  "eb045d78d273107348b0300c01d29b7552d622abbc6faf81b3ec55359aa9950c",
  "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945",
  "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
]);
