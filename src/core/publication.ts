/**
 * One PUBLISH on its way to its receivers. There is one Publication in the broker at a time; it is overwritten by the
 * next PUBLISH. Its message lies in the received chunk and must not be held on to: who needs it beyond the turn calls
 * {@link keep}, and all who do share one kept Message.
 */
import { Message } from './message.js';

/** A kept message may pin a chunk of this size; from a larger one it is copied out. */
const LARGEST_PINNED_CHUNK = 2048;

export class Publication {
  message: Message = new Message();
  #kept: Message | null = null;

  /** Starts over with `message`, whose bytes are valid until the caller's turn ends. */
  begin(message: Message): void {
    this.message = message;
    this.#kept = null;
  }

  /** Starts over with a message that is already safe to keep. */
  beginKept(message: Message): void {
    this.message = message;
    this.#kept = message;
  }

  /** The message in a form that may be held on to: its bytes pin no more memory than they are worth. */
  keep(): Message {
    if (this.#kept === null) this.#kept = keepMessage(this.message);
    return this.#kept;
  }
}

function keepMessage(message: Message): Message {
  const kept = message.clone();
  const length = message.payloadEnd - message.topicStart;
  if (message.bytes.buffer.byteLength > LARGEST_PINNED_CHUNK + 2 * length) moveToArena(kept, length);
  return kept;
}

/*
 * Kept messages are packed into slabs one after the other: a copy without a Buffer object for each. A slab is freed
 * when the last message in it is, so that one survivor pins at most this much.
 */
const SLAB_BYTES = 16 * 1024;
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let slabUsed = 0;

function moveToArena(message: Message, length: number): void {
  let target = slab;
  let offset = slabUsed;
  if (length > SLAB_BYTES / 4) {
    target = Buffer.allocUnsafeSlow(length);
    offset = 0;
  } else {
    if (slabUsed + length > SLAB_BYTES) {
      slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      slabUsed = 0;
      target = slab;
      offset = 0;
    }
    slabUsed = offset + length;
  }
  message.bytes.copy(target, offset, message.topicStart, message.payloadEnd);
  const shift = offset - message.topicStart;
  message.bytes = target;
  message.topicStart += shift;
  message.topicEnd += shift;
  message.propertiesStart += shift;
  message.propertiesEnd += shift;
  message.payloadStart += shift;
  message.payloadEnd += shift;
  if (message.expiryOffset !== -1) message.expiryOffset += shift;
}
