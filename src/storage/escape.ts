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
