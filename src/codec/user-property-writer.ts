/**
 * Writes User Properties (section 2.2.2.2) one behind the other into a buffer that grows and is used again. What comes from elsewhere is
 * made fit for MQTT: U+0000 is replaced [MQTT-1.5.4-2], and what is longer than a string may be is left out.
 */
import { UserProperty } from './property-walker.js';

const SMALLEST_BYTES = 1024;
const LONGEST_STRING_BYTES = 65_535;
/** Up to so many units a string is written unit by unit, as long as it is ASCII: calling into the platform costs more. */
const SHORT_UNITS = 48;
/** Of UTF-8, for each unit of a string. */
const BYTES_PER_UNIT = 3;

export class UserPropertyWriter {
  #bytes = Buffer.allocUnsafeSlow(SMALLEST_BYTES);
  #length = 0;

  reset(): void {
    this.#length = 0;
  }

  add(name: string, value: string): void {
    const start = this.#length;
    this.#ensureRoom(5 + BYTES_PER_UNIT * (name.length + value.length));
    this.#bytes[this.#length++] = UserProperty;
    if (!this.#string(name) || !this.#string(value)) this.#length = start;
  }

  /** A view of what has been written, until the next {@link reset}. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #string(text: string): boolean {
    return (text.length <= SHORT_UNITS && this.#shortAscii(text)) || this.#anyString(text);
  }

  /** @returns false if there is something in it that is not ASCII, or U+0000; nothing has been written then */
  #shortAscii(text: string): boolean {
    const bytes = this.#bytes;
    const { length } = text;
    let at = this.#length;
    bytes[at++] = 0;
    bytes[at++] = length;
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit === 0 || unit > 0x7f) return false;
      bytes[at++] = unit;
    }
    this.#length = at;
    return true;
  }

  #anyString(text: string): boolean {
    const fit = text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text;
    const written = this.#bytes.write(fit, this.#length + 2);
    if (written > LONGEST_STRING_BYTES) return false;
    this.#bytes[this.#length] = written >> 8;
    this.#bytes[this.#length + 1] = written & 0xff;
    this.#length += 2 + written;
    return true;
  }

  #ensureRoom(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#length + bytes));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
