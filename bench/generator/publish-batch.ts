/**
 * Many equal PUBLISH frames in one buffer, built once; before each write only what differs is stamped in: sequence
 * number and packet id. A batch must not be stamped again before the socket has taken it; the publisher's window sees
 * to that.
 *
 *   payload  | publisher, 4 bytes | sequence, 4 bytes | group, 4 bytes, if there are groups | filler … |
 */
import { type Protocol, type PublishExtras, publishFrame, publishProperties, type Qos } from './frames.js';
import { GROUP_AT, GROUP_DIGITS } from './work-queue.js';

/** Publisher, sequence number and group: the shortest payload. */
export const STAMP_BYTES = 12;

const FILLER = 'm';
const HIGHEST_PACKET_ID = 65_535;

export interface PublishTemplate extends PublishExtras {
  readonly protocol: Protocol;
  readonly topic: string;
  readonly qos: Qos;
  readonly payloadBytes: number;
  readonly publisher: number;
  /** The topic is one of a group, and changes from message to message. */
  readonly groups?: GroupRange | undefined;
}

/** Message groups in turn: `first`, the one after it, and so on, `count` in all. */
export interface GroupRange {
  readonly first: number;
  readonly count: number;
}

export class PublishBatch {
  readonly #bytes: Buffer;
  readonly #frameBytes: number;
  readonly #count: number;
  readonly #sequenceOffset: number;
  /** Where the packet id stands in a frame; 0 when there is none. */
  readonly #packetIdOffset: number;
  readonly #groups: GroupRange | undefined;
  /** Where the number of the group stands in the topic. */
  readonly #groupOffset: number;

  constructor(template: PublishTemplate, count: number) {
    const payload = Buffer.alloc(template.payloadBytes, FILLER);
    payload.writeUInt32BE(template.publisher, 0);
    const frame = publishFrame(template.protocol, template.topic, template.qos, payload, template);
    const payloadOffset = frame.length - payload.length;
    this.#bytes = Buffer.concat(Array.from({ length: count }, () => frame));
    this.#frameBytes = frame.length;
    this.#count = count;
    this.#sequenceOffset = payloadOffset + 4;
    const properties = publishProperties(template.protocol, template.userProperties ?? 0).length;
    this.#packetIdOffset = template.qos > 0 ? payloadOffset - properties - 2 : 0;
    this.#groups = template.groups;
    const topicEnd = payloadOffset - properties - (template.qos > 0 ? 2 : 0);
    this.#groupOffset = topicEnd - Buffer.byteLength(template.topic) + GROUP_AT;
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
      if (this.#groups !== undefined) this.#stampGroup(frame, this.#groups.first + (sequence % this.#groups.count));
      frame += this.#frameBytes;
    }
    return bytes;
  }

  #stampGroup(frame: number, group: number): void {
    const bytes = this.#bytes;
    const at = frame + this.#sequenceOffset + 4;
    bytes[at] = group >>> 24;
    bytes[at + 1] = group >>> 16;
    bytes[at + 2] = group >>> 8;
    bytes[at + 3] = group;
    let rest = group;
    for (let digit = frame + this.#groupOffset + GROUP_DIGITS - 1; digit >= frame + this.#groupOffset; digit--) {
      bytes[digit] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
  }
}
