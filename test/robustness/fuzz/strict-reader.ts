/**
 * Reads fields of a packet by the letter of the specification, for both sides of a conversation. It shares no code with
 * the broker's codec: what judges it must not share its mistakes.
 */
import { isUtf8 } from 'node:buffer';

/** What is wrong with a packet, in words. */
export class Violation extends Error {}

export class StrictReader {
  readonly bytes: Buffer;
  offset = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.offset === this.bytes.length;
  }

  byte(what: string): number {
    return this.#take(1, what)[0] as number;
  }

  twoBytes(what: string): number {
    return this.#take(2, what).readUInt16BE(0);
  }

  fourBytes(what: string): number {
    return this.#take(4, what).readUInt32BE(0);
  }

  packetId(): number {
    const id = this.twoBytes('the packet identifier');
    if (id === 0) throw new Violation('the packet identifier is 0');
    return id;
  }

  /** Section 1.5.5 of MQTT 5. */
  variableByteInteger(what: string): number {
    let value = 0;
    for (let length = 0; length < 4; length++) {
      const byte = this.byte(what);
      value += (byte & 0x7f) * 128 ** length;
      if (byte > 0x7f) continue;
      if (byte === 0 && length > 0) throw new Violation(`${what} is not in its shortest form`);
      return value;
    }
    throw new Violation(`${what} is longer than four bytes`);
  }

  binary(what: string): Buffer {
    return this.#take(this.twoBytes(what), what);
  }

  text(what: string): string {
    const bytes = this.binary(what);
    if (!isUtf8(bytes)) throw new Violation(`${what} is not UTF-8`);
    if (bytes.includes(0)) throw new Violation(`${what} contains U+0000`);
    return bytes.toString();
  }

  rest(): Buffer {
    return this.#take(this.bytes.length - this.offset, 'the rest');
  }

  /** A reader of the next `length` bytes alone. */
  section(length: number, what: string): StrictReader {
    return new StrictReader(this.#take(length, what));
  }

  expectEnd(): void {
    if (!this.isAtEnd) throw new Violation(`${this.bytes.length - this.offset} bytes behind the end`);
  }

  #take(length: number, what: string): Buffer {
    const end = this.offset + length;
    if (end > this.bytes.length) throw new Violation(`ends within ${what}`);
    const taken = this.bytes.subarray(this.offset, end);
    this.offset = end;
    return taken;
  }
}
