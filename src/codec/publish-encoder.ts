/**
 * Encodes a publication once for all receivers that get the same bytes: per protocol version, QoS and RETAIN.
 * Where the packet as received is already what a receiver must get, it is used as it is and nothing is encoded.
 * Packet identifiers are patched in each receiver's copy, at `idOffset`.
 *
 * Encodings of one kind are laid down one behind the other, so that a receiver's outbound buffer can take a run of them
 * as one range.
 */
import type { Message, Qos } from '../core/message.js';
import { PublishWriter } from './publish-writer.js';

const SLAB_BYTES = 64 * 1024;

const EMPTY_SLAB = Buffer.alloc(0);

class Encoding {
  bytes: Buffer = EMPTY_SLAB;
  used = 0;
  start = 0;
  end = 0;
  idOffset = 0;
  /** The publication it holds. */
  sequence = 0;
}

export class PublishEncoder {
  /** The result of {@link encode}: `bytes[start, end)`. Must not be written to unless `isExclusive`. */
  bytes: Buffer = EMPTY_SLAB;
  start = 0;
  end = 0;
  /** Where the packet identifier stands, or -1 for QoS 0. */
  idOffset = -1;
  /** The result is the packet as received and nobody else will use it: identifier and flags may be patched in place. */
  isExclusive = false;

  #packet: Buffer = EMPTY_SLAB;
  #packetSource: Buffer | null = null;
  #packetStart = 0;
  #message!: Message;
  #rawStart = -1;
  #rawEnd = -1;
  #rawIsVersion5 = false;
  #soleReceiver = false;
  #sequence = 0;
  readonly #encodings = Array.from({ length: 8 }, () => new Encoding());
  readonly #writer = new PublishWriter();

  /**
   * Starts on a message that there is no received packet of.
   * @param expirySeconds what is left of its Message Expiry Interval, or -1 if it has not waited
   */
  begin(message: Message, expirySeconds = -1): void {
    this.#message = message;
    this.#writer.expirySeconds = expirySeconds;
    this.#rawStart = -1;
    this.#soleReceiver = false;
    this.#sequence++;
  }

  /**
   * Starts on a message that was received as the packet `message.bytes[rawStart, rawEnd)`.
   * @param soleReceiver it goes to one receiver only
   */
  beginReceived(
    message: Message,
    rawStart: number,
    rawEnd: number,
    rawIsVersion5: boolean,
    soleReceiver: boolean,
  ): void {
    this.#message = message;
    this.#writer.expirySeconds = -1;
    this.#rawStart = rawStart;
    this.#rawEnd = rawEnd;
    this.#rawIsVersion5 = rawIsVersion5;
    this.#soleReceiver = soleReceiver;
    this.#sequence++;
  }

  /** Puts the encoding for such a receiver into the result fields. DUP is 0 [MQTT-3.3.1-3]. */
  encode(isVersion5: boolean, qos: Qos, retain: boolean): void {
    if (this.#rawStart !== -1 && this.#rawIsVersion5 === isVersion5 && this.#message.qos === qos) {
      const rawFlags = (this.#message.bytes[this.#rawStart] as number) & 0x0f;
      // With QoS 0 the range goes out as it is; with a packet identifier each copy gets its own first byte anyway.
      if (qos > 0 || rawFlags === (retain ? 1 : 0)) {
        this.bytes = this.#message.bytes;
        this.start = this.#rawStart;
        this.end = this.#rawEnd;
        this.idOffset = qos > 0 ? this.#message.topicEnd : -1;
        this.isExclusive = this.#soleReceiver;
        return;
      }
    }
    const index = (isVersion5 ? 4 : 0) + (qos > 0 ? 2 : 0) + (retain ? 1 : 0);
    const encoding = this.#encodings[index] as Encoding;
    if (encoding.sequence !== this.#sequence) this.#fill(encoding, isVersion5, qos, retain);
    this.bytes = encoding.bytes;
    this.start = encoding.start;
    this.end = encoding.end;
    this.idOffset = qos > 0 ? encoding.idOffset : -1;
    this.isExclusive = false;
  }

  /** The result as a buffer: one for all receivers of the same encoding. */
  get packet(): Buffer {
    if (
      this.#packetSource !== this.bytes ||
      this.#packetStart !== this.start ||
      this.#packet.length !== this.end - this.start
    ) {
      this.#packetSource = this.bytes;
      this.#packetStart = this.start;
      this.#packet = this.bytes.subarray(this.start, this.end);
    }
    return this.#packet;
  }

  #fill(encoding: Encoding, isVersion5: boolean, qos: Qos, retain: boolean): void {
    const writer = this.#writer;
    const message = this.#message;
    writer.isVersion5 = isVersion5;
    writer.qos = qos;
    writer.retain = retain;
    const length = writer.measure(message);
    if (encoding.used + length > encoding.bytes.length) {
      // What is already in the old slab may still wait in outbound buffers: it is left to them.
      encoding.bytes = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, length));
      encoding.used = 0;
    }
    encoding.start = encoding.used;
    encoding.end = writer.write(message, encoding.bytes, encoding.start);
    encoding.used = encoding.end;
    encoding.idOffset = topicEndOf(encoding.bytes, encoding.start);
    encoding.sequence = this.#sequence;
  }
}

/** Where the topic name of the PUBLISH at `start` ends: what follows is the packet identifier. */
function topicEndOf(bytes: Buffer, start: number): number {
  let offset = start + 1;
  while ((bytes[offset] as number) > 0x7f) offset++;
  offset++;
  return offset + 2 + (((bytes[offset] as number) << 8) | (bytes[offset + 1] as number));
}
