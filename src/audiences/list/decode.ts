import { piecesOf, type TextSource } from "./row.ts";

/**
 * Text of bytes: UTF-8, or UTF-16 where a byte-order mark says so; the mark itself is no text. Bytes that are no text in
 * it become U+FFFD, which no identifier holds, so that one foreign line costs itself only.
 */
export async function* decoded(source: TextSource): AsyncGenerator<string> {
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  let first = true;
  for await (const piece of piecesOf(source)) {
    if (piece.length === 0) continue;
    let text: string;
    if (typeof piece === "string") text = first && piece.charCodeAt(0) === 0xfeff ? piece.slice(1) : piece;
    else {
      decoder ??= new TextDecoder(encodingOf(piece));
      text = decoder.decode(piece, { stream: true });
    }
    first = false;
    if (text !== "") yield text;
  }
  const rest = decoder?.decode();
  if (rest) yield rest;
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
}
