import { type Omitted, omit } from "./reason.ts";
import { lowerComposed, removeInvisible, trimStray } from "./text.ts";

/** Addresses as nearly all are written. What it takes, {@link slowEmail} takes too and gives the same text. */
const ORDINARY = /^[a-z0-9._+%-]{1,64}@(?:[a-z0-9]+(?:-+[a-z0-9]+)*\.)+[a-z]{2,63}$/i;

/** RFC 5321: a local part in quotation marks may hold spaces and more. U+FFFD is what a wrong encoding leaves of a letter. */
const QUOTED = /^"(?:[^"\\\p{Cc}\ufffd]|\\[^\p{Cc}\ufffd])+"$/u;
const LOCAL = /^[^\s"(),:;<>@[\]\\\p{Cc}\ufffd]+$/u;
const LABEL = /^[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}·・-]*[\p{L}\p{M}\p{N}])?$/u;

const MAX_ADDRESS = 254;
const MAX_LOCAL = 64;
const MAX_LABEL = 63;
/** No label of a shorter address is too long: one of 64 makes at least `a@` + 64 + `.co`. Longer ones are rare. */
const MAX_FAST = 2 + MAX_LABEL + 3;

/** The result for an ordinary address, else `undefined`. */
export function fastEmail(text: string): string | undefined {
  return text.length <= MAX_FAST && ORDINARY.test(text) ? text.toLowerCase() : undefined;
}

/** The whole rule: trimmed, lower-cased, plausible; dots and tags stay, international domains stay as typed. */
export function slowEmail(text: string): string | Omitted {
  const address = lowerComposed(unwrap(removeInvisible(text)));
  const at = address.lastIndexOf("@");
  const plausible =
    at > 0 && address.length <= MAX_ADDRESS && isLocal(address.slice(0, at)) && isDomain(address.slice(at + 1));
  return plausible ? address : omit("not_an_email");
}

/** Takes off what stands around an address in headers, links and exports: `<…>`, quotation marks, `mailto:`, commas. */
function unwrap(text: string): string {
  let address = text;
  let before: string;
  do {
    before = address;
    address = trimStray(address).replace(/^[,;]+|[,;.]+$/g, "");
    address = address.replace(/^mailto:/i, "").replace(/^<([^<>]*)>$|^"([^"]*)"$|^'([^']*)'$/, "$1$2$3");
  } while (address !== before);
  return address;
}

function isLocal(local: string): boolean {
  return local.length <= MAX_LOCAL && (LOCAL.test(local) || QUOTED.test(local));
}

function isDomain(domain: string): boolean {
  const labels = domain.split(".");
  const last = labels.at(-1) as string;
  return (
    labels.length >= 2 &&
    last.length >= 2 &&
    !/^\d+$/.test(last) &&
    labels.every((label) => label.length <= MAX_LABEL && LABEL.test(label))
  );
}
