/** Puts values together in one buffer, which grows and is used again: what {@link view} gives is copied before that. */
const SMALLEST_BYTES = 1024;

export class ByteWriter {
  #bytes = Buffer.allocUnsafeSlow(SMALLEST_BYTES);
  #end = 0;

  get length(): number {
    return this.#end;
  }

  /** What has been written up to now. */
  get view(): Buffer {
    return this.#bytes.subarray(0, this.#end);
  }

  /** Begins anew, or goes back to where {@link length} was `length`. */
  reset(length = 0): void {
    this.#end = length;
  }

  uint8(value: number): void {
    this.#ensureRoom(1);
    this.#bytes[this.#end++] = value;
  }

  uint48(value: number): void {
    this.#ensureRoom(6);
    this.#end = this.#bytes.writeUIntBE(value, this.#end, 6);
  }

  /** Leaves room for what is known later. */
  skip(bytes: number): void {
    this.#ensureRoom(bytes);
    this.#end += bytes;
  }

  varint(value: number): void {
    this.#ensureRoom(8);
    let left = value;
    for (; left >= 0x80; left = Math.floor(left / 0x80)) this.#bytes[this.#end++] = (left % 0x80) | 0x80;
    this.#bytes[this.#end++] = left;
  }

  bytes(value: Uint8Array): void {
    this.#ensureRoom(value.length);
    this.#bytes.set(value, this.#end);
    this.#end += value.length;
  }

  #ensureRoom(bytes: number): void {
    if (this.#end + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#end + bytes, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}
