/**
 * - `secret`: a token, a key, a code: nowhere.
 * - `direct`: mail, phone, name, address: nowhere.
 * - `pseudonym`: a hash of those: in storage only, where the table of what is stored names it.
 * - `transport`: what Snapchat wants in plain: sightings are printed.
 */
export type Kind = "secret" | "direct" | "pseudonym" | "transport";

export interface Canary {
  name: string;
  kind: Kind;
  /** What is searched for: the text in every dress it might wear. */
  forms: readonly string[];
}

export function canary(name: string, kind: Kind, text: string): Canary[] {
  // A token in parts would be found by each of them; the first part of one is its header, the same for all.
  const parts = kind === "secret" && text.length > 60 ? text.split(".").filter((part) => part.length >= 16) : [text];
  const own = parts.length > 1 ? parts.slice(1) : parts;
  return own.map((part) => ({ name, kind, forms: dresses(part.length > 60 ? part.slice(10, 50) : part) }));
}

/** Plain, in lower case, for a URL, inside JSON, and as hexadecimal and base64 wherever it may begin. */
function dresses(text: string): string[] {
  const all = [text, text.toLowerCase()].flatMap((plain) => {
    const bytes = Buffer.from(plain, "utf8");
    return [
      plain,
      encodeURIComponent(plain.toWellFormed()),
      JSON.stringify(plain).slice(1, -1),
      bytes.toString("hex"),
      bytes.toString("latin1"),
      ...[0, 1, 2].flatMap((shift) => base64At(bytes, shift)),
    ];
  });
  return [...new Set(all)];
}

/** The characters of a base64 text that depend on these bytes alone, where `shift` bytes stand before them. */
function base64At(bytes: Buffer, shift: number): string[] {
  const padded = Buffer.concat([Buffer.alloc(shift), bytes]);
  const whole = padded.subarray(0, padded.length - (padded.length % 3)).toString("base64");
  const text = whole.slice(shift === 0 ? 0 : 4);
  return text.length < 8 ? [] : [text, text.replaceAll("+", "-").replaceAll("/", "_")];
}
