/**
 * A cursor over one whole control packet, for the validators: every step checks its bounds, so that nothing behind it
 * can read past the packet. It starts behind the fixed header and ends where the packet ends.
 */
import { MalformedPacket } from '../core/errors.js';
import {
  type PropertySet,
  type PropertyVisitor,
  readVariableByteInteger,
  variableByteIntegerEnd,
  walkProperties,
} from './property-walker.js';
import { checkUtf8 } from './utf8.js';

export class FrameReader {
  readonly bytes: Buffer;
  readonly #end: number;
  #offset: number;

  /**
   * @param frame one packet from its first byte to its last
   * @throws MalformedPacket if the remaining length is not minimal or does not end where the frame ends
   */
  constructor(frame: Buffer) {
    const remainingLength = readVariableByteInteger(frame, 1, frame.length);
    this.bytes = frame;
    this.#offset = variableByteIntegerEnd;
    this.#end = frame.length;
    if (this.#offset + remainingLength !== this.#end) {
      throw new MalformedPacket('the remaining length is not the length of the packet [MQTT-2.1.4]');
    }
  }

  get offset(): number {
    return this.#offset;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#end;
  }

  /** @param what names the field in the error */
  takeByte(what: string): number {
    if (this.#offset + 1 > this.#end) runsOut(what);
    return this.bytes[this.#offset++] as number;
  }

  takeTwoBytes(what: string): number {
    if (this.#offset + 2 > this.#end) runsOut(what);
    const value = ((this.bytes[this.#offset] as number) << 8) | (this.bytes[this.#offset + 1] as number);
    this.#offset += 2;
    return value;
  }

  /** A packet identifier, which is never 0 [MQTT-2.2.1-3] [MQTT-2.3.1-1]. */
  takePacketId(): number {
    const packetId = this.takeTwoBytes('the packet identifier');
    if (packetId === 0) throw new MalformedPacket('the packet identifier is 0 [MQTT-2.2.1-3]');
    return packetId;
  }

  /** Steps over binary data with its two-byte length; returns where its content starts, `offset` is where it ends. */
  takeBinary(what: string): number {
    const length = this.takeTwoBytes(what);
    const start = this.#offset;
    if (start + length > this.#end) runsOut(what);
    this.#offset = start + length;
    return start;
  }

  /** Like {@link takeBinary}, for a string: its content is checked [MQTT-1.5.4-1] [MQTT-1.5.4-2]. */
  takeString(what: string): number {
    const start = this.takeBinary(what);
    checkUtf8(this.bytes, start, this.#offset);
    return start;
  }

  /**
   * Steps over a property section with its length, and tells `visitor` of each property.
   * @returns where the first property starts; `offset` is where the last one ends
   */
  takeProperties(allowed: PropertySet, visitor: PropertyVisitor): number {
    const length = readVariableByteInteger(this.bytes, this.#offset, this.#end);
    const start = variableByteIntegerEnd;
    if (start + length > this.#end) runsOut('the property length');
    walkProperties(this.bytes, start, start + length, allowed, visitor);
    this.#offset = start + length;
    return start;
  }

  /** @throws MalformedPacket if bytes are left */
  expectEnd(packetName: string): void {
    if (!this.isAtEnd) throw new MalformedPacket(`${packetName} has bytes behind its end`);
  }
}

function runsOut(what: string): never {
  throw new MalformedPacket(`the packet ends before the end of ${what}`);
}
