/**
 * Ids may hold any character; engines' text types do not hold U+0000. It becomes two others, in a way that keeps texts
 * apart and keeps their byte order.
 */
export function escapeText(text: string): string {
  return text.includes("\0") || text.includes("\x01")
    ? text.replaceAll("\x01", "\x01\x02").replaceAll("\0", "\x01\x01")
    : text;
}

export function unescapeText(text: string): string {
  return text.includes("\x01") ? text.replaceAll("\x01\x01", "\0").replaceAll("\x01\x02", "\x01") : text;
}

/** The first text after all that begin with the prefix; "" if there is none. U+10FFFF is the last character there is. */
export function endOfPrefix(prefix: string): string {
  const characters = [...prefix];
  for (let last = characters.pop(); last !== undefined; last = characters.pop()) {
    const next = (last.codePointAt(0) ?? 0) + 1;
    if (next <= 0x10ffff) return characters.join("") + String.fromCodePoint(next === 0xd800 ? 0xe000 : next);
  }
  return "";
}
