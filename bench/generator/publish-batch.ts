/**
 * Many equal PUBLISH frames in one buffer, built once; before each write only what differs is stamped in: sequence
 * number and packet id. A batch must not be stamped again before the socket has taken it; the publisher's window sees
 * to that.
 *
 *   payload  | publisher, 4 bytes | sequence, 4 bytes | filler … |
 */
import { type Protocol, publishFrame, type Qos } from './frames.js';

/** Publisher and sequence number: the part of the payload that the receiver checks. */
export const STAMP_BYTES = 8;

const FILLER = 'm';
const HIGHEST_PACKET_ID = 65_535;

export interface PublishTemplate {
  readonly protocol: Protocol;
  readonly topic: string;
  readonly qos: Qos;
  readonly payloadBytes: number;
  readonly publisher: number;
}

export class PublishBatch {
  readonly #bytes: Buffer;
  readonly #frameBytes: number;
  readonly #count: number;
  readonly #sequenceOffset: number;
  /** Where the packet id stands in a frame; 0 when there is none. */
  readonly #packetIdOffset: number;

  constructor(template: PublishTemplate, count: number) {
    const payload = Buffer.alloc(template.payloadBytes, FILLER);
    payload.writeUInt32BE(template.publisher, 0);
    const frame = publishFrame(template.protocol, template.topic, template.qos, payload);
    const payloadOffset = frame.length - payload.length;
    this.#bytes = Buffer.concat(Array.from({ length: count }, () => frame));
    this.#frameBytes = frame.length;
    this.#count = count;
    this.#sequenceOffset = payloadOffset + 4;
    this.#packetIdOffset = template.qos > 0 ? payloadOffset - (template.protocol === 5 ? 3 : 2) : 0;
  }

  /** Numbers the messages from `firstSequence` on and returns the bytes to write. */
  stamp(firstSequence: number): Buffer {
    const bytes = this.#bytes;
    let frame = 0;
    for (let sequence = firstSequence; sequence < firstSequence + this.#count; sequence++) {
      const at = frame + this.#sequenceOffset;
      bytes[at] = sequence >>> 24;
      bytes[at + 1] = sequence >>> 16;
      bytes[at + 2] = sequence >>> 8;
      bytes[at + 3] = sequence;
      if (this.#packetIdOffset > 0) {
        const packetId = (sequence % HIGHEST_PACKET_ID) + 1;
        bytes[frame + this.#packetIdOffset] = packetId >>> 8;
        bytes[frame + this.#packetIdOffset + 1] = packetId;
      }
      frame += this.#frameBytes;
    }
    return bytes;
  }
}
