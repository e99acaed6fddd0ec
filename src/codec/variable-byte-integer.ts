/** Writing variable byte integers (section 1.5.5). Reading them is part of the walker and of the frame splitter. */

/** Largest value of four bytes. */
export const LARGEST_LENGTH = 268_435_455;

/** Bytes that `value` takes. */
export function sizeOfLength(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4;
}

/** Writes `value` at `offset`; returns the offset behind it. */
export function writeLength(bytes: Buffer, offset: number, value: number): number {
  let rest = value;
  let end = offset;
  while (rest > 0x7f) {
    bytes[end++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[end++] = rest;
  return end;
}
