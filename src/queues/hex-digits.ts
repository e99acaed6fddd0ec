/** Hexadecimal digits from a table: to write numbers out is what a key costs otherwise. */
const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** @param byte 0 to 255 @returns two digits */
export function hexOfByte(byte: number): string {
  return DIGITS[byte] as string;
}
