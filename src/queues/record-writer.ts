/** Puts numbers and texts one behind the other in a buffer that grows and is used again for the next record. */

const SMALLEST_BYTES = 256;
/** Up to here a loop copies faster than `copy`, which makes a view for a part. */
const LONGEST_LOOP = 128;

export class RecordWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(SMALLEST_BYTES);
  #length = 0;

  /** Begins a record. */
  reset(): void {
    this.#length = 0;
  }

  byte(value: number): void {
    this.#ensureRoom(1);
    this.#bytes[this.#length++] = value;
  }

  /** A whole number from 0 to 2^53: seven bits a byte, lowest first. */
  number(value: number): void {
    this.#ensureRoom(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  text(value: string): void {
    if (value.length < 0x2a) {
      // Short ones: the length takes one byte whatever the characters are.
      this.#ensureRoom(1 + 3 * value.length);
      const written = this.#bytes.write(value, this.#length + 1);
      this.#bytes[this.#length] = written;
      this.#length += 1 + written;
      return;
    }
    const length = Buffer.byteLength(value);
    this.number(length);
    this.#ensureRoom(length);
    this.#length += this.#bytes.write(value, this.#length);
  }

  /** A copy of the record. */
  finish(): Buffer {
    const record = Buffer.allocUnsafe(this.#length);
    if (this.#length > LONGEST_LOOP) this.#bytes.copy(record, 0, 0, this.#length);
    else for (let at = 0; at < this.#length; at++) record[at] = this.#bytes[at] as number;
    return record;
  }

  #ensureRoom(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#length + bytes));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
