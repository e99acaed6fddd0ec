/**
 * Receipt handles: 36 characters that stand for one receive of one message.
 *
 *   base64url( version 1 | queue 4 | sequence 6 | generation 4 | epoch 4 | tag 8 )   big-endian, 27 bytes
 *
 * The tag is a keyed hash of the rest under a secret that lasts as long as the queues. It keeps somebody who may use one
 * queue from naming messages that he never received (numbers are easy to guess): a handle that was not given out here
 * is refused, but for one chance in 2^64. It does not hide what the handle says.
 */
import { KeyedHash } from './keyed-hash.js';

/** A receive of a message, as a handle names it. */
export interface Receipt {
  readonly queue: number;
  readonly sequence: number;
  readonly generation: number;
  /** The start of the process that gave it out. */
  readonly epoch: number;
}

const VERSION = 1;
const BYTES = 27;
const CHARACTERS = 36;
const TAG_AT = 19;

export class ReceiptHandles {
  readonly #hash: KeyedHash;
  readonly #epoch: number;
  readonly #words = new Int32Array(5);
  readonly #bytes = Buffer.alloc(BYTES);

  /** @param secret 8 bytes @param epoch of this start, a number of 32 bits */
  constructor(secret: Buffer, epoch: number) {
    this.#hash = new KeyedHash(secret);
    this.#epoch = epoch >>> 0;
  }

  encode(queue: number, sequence: number, generation: number): string {
    const bytes = this.#bytes;
    bytes[0] = VERSION;
    bytes.writeUInt32BE(queue, 1);
    bytes.writeUIntBE(sequence, 5, 6);
    bytes.writeUInt32BE(generation, 11);
    bytes.writeUInt32BE(this.#epoch, 15);
    this.#tag(queue, sequence, generation, this.#epoch);
    bytes.writeInt32BE(this.#hash.high, TAG_AT);
    bytes.writeInt32BE(this.#hash.low, TAG_AT + 4);
    return bytes.toString('base64url');
  }

  /** @returns null if it was not given out here */
  decode(handle: string): Receipt | null {
    const bytes = this.#bytes;
    // Characters that are none of base64 are left out, and fewer bytes come.
    if (handle.length !== CHARACTERS || bytes.write(handle, 'base64url') !== BYTES) return null;
    if (bytes[0] !== VERSION) return null;
    const receipt: Receipt = {
      queue: bytes.readUInt32BE(1),
      sequence: bytes.readUIntBE(5, 6),
      generation: bytes.readUInt32BE(11),
      epoch: bytes.readUInt32BE(15),
    };
    this.#tag(receipt.queue, receipt.sequence, receipt.generation, receipt.epoch);
    const difference = (bytes.readInt32BE(TAG_AT) ^ this.#hash.high) | (bytes.readInt32BE(TAG_AT + 4) ^ this.#hash.low);
    return difference === 0 ? receipt : null;
  }

  #tag(queue: number, sequence: number, generation: number, epoch: number): void {
    const words = this.#words;
    words[0] = queue;
    words[1] = Math.floor(sequence / 2 ** 32);
    words[2] = sequence;
    words[3] = generation;
    words[4] = epoch;
    this.#hash.hash(words);
  }
}
