/** A list of bits: bit i is byte i>>3, value 1<<(i&7), as the members port counts them. */
export type Bits = Uint8Array;

export const newBits = (count: number): Bits => new Uint8Array((count + 7) >> 3);
export const hasBit = (bits: Bits, index: number): boolean => ((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;

export function setBit(bits: Bits, index: number): void {
  bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
}
