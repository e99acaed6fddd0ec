/** Reads what a ByteWriter has put together. */
import { DamagedRecord } from '../core/errors.js';

export class ByteReader {
  readonly #bytes: Buffer;
  #at: number;

  /** @param start where to begin */
  constructor(bytes: Buffer, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** @throws DamagedRecord beyond the end */
  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new DamagedRecord('A number ends too early');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  /** A view. @throws DamagedRecord beyond the end */
  bytes(length: number): Buffer {
    const start = this.#at;
    if (start + length > this.#bytes.length) throw new DamagedRecord('A field ends too early');
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }
}
