const IPV6_CHARACTERS = /^[0-9a-f:.]{2,45}$/i;

/**
 * The first IP address of what a proxy header holds: `203.0.113.24, 10.0.0.1`, `[2001:db8::1]:443`,
 * `::ffff:203.0.113.24`. `undefined` where there is none, a digest included.
 */
export function firstIpAddress(raw: string): string | undefined {
  if (isIpv4(raw)) return raw;
  for (const part of raw.split(",", 20)) {
    const text = part.trim();
    if (text === "" || text.toLowerCase() === "unknown") continue;
    return oneAddress(text);
  }
  return undefined;
}

function oneAddress(text: string): string | undefined {
  if (isIpv4(text)) return text;
  const withPort = /^(\d[\d.]+):\d{1,5}$/.exec(text)?.[1];
  if (withPort !== undefined) return isIpv4(withPort) ? withPort : undefined;
  const inner = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1] ?? text.split("%", 1)[0] ?? "";
  const mapped = /^::ffff:(\d[\d.]+)$/i.exec(inner)?.[1];
  if (mapped !== undefined) return isIpv4(mapped) ? mapped : undefined;
  return isIpv6(inner) ? inner.toLowerCase() : undefined;
}

function isIpv6(text: string): boolean {
  if (!IPV6_CHARACTERS.test(text) || !text.includes(":")) return false;
  const halves = text.split("::");
  if (halves.length > 2) return false;
  let groups = 0;
  for (const [index, half] of halves.entries()) {
    if (half === "") continue;
    const parts = half.split(":");
    for (const [position, part] of parts.entries()) {
      const last = index === halves.length - 1 && position === parts.length - 1;
      if (last && part.includes(".")) {
        if (!isIpv4(part)) return false;
        groups += 2;
      } else {
        if (!/^[0-9a-f]{1,4}$/i.test(part)) return false;
        groups += 1;
      }
    }
  }
  return halves.length === 2 ? groups < 8 : groups === 8;
}

/** Four numbers up to 255. A loop: it runs on every event from a server. */
function isIpv4(text: string): boolean {
  if (text.length > 15) return false;
  let dots = 0;
  let digits = 0;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 46) {
      if (digits === 0) return false;
      dots++;
      digits = 0;
      value = 0;
    } else {
      if (code < 48 || code > 57) return false;
      // A leading zero would be octal to some readers.
      if (digits === 1 && value === 0) return false;
      value = value * 10 + code - 48;
      digits++;
      if (value > 255) return false;
    }
  }
  return dots === 3 && digits > 0;
}
