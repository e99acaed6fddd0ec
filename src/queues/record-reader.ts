/** Reads what a RecordWriter wrote; never past the end. */
import { DamagedQueueRecord } from './queue-errors.js';

export class RecordReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** @throws DamagedQueueRecord if the record is too short */
  byte(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) throw new DamagedQueueRecord('A record of a queue is cut off');
    this.#at++;
    return value;
  }

  /** @throws DamagedQueueRecord if there is no number that can be represented */
  number(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 56; factor *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
    }
    throw new DamagedQueueRecord('A number in a record of a queue is too large');
  }

  /** @throws DamagedQueueRecord if the text is cut off */
  text(): string {
    const length = this.number();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new DamagedQueueRecord('A text in a record of a queue is cut off');
    const value = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end;
    return value;
  }

  /** Passes a text over. @throws DamagedQueueRecord if it is cut off */
  skipText(): void {
    const length = this.number();
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new DamagedQueueRecord('A text in a record of a queue is cut off');
  }
}
