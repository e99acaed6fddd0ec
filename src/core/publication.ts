/**
 * One PUBLISH on its way to its receivers. There is one Publication in the broker at a time; it is overwritten by the
 * next PUBLISH. Its message lies in the received chunk and must not be held on to: who needs it beyond the turn calls
 * {@link keep}, and all who do share one kept Message.
 */
import { Message } from './message.js';
import { ReasonCode } from './reason-code.js';

/** A kept message may pin a chunk of this size; from a larger one it is copied out. */
const LARGEST_PINNED_CHUNK = 2048;

/** Somebody whose publishing is put off until a receiver has caught up. */
export interface HeldPublisher {
  /**
   * The receiver has caught up, is gone, or is no longer waited for.
   * @param inVain the grace time ran out: it has not caught up
   */
  onReleased(inVain: boolean): void;
}

/** A receiver that asks its publishers to wait. */
export interface CongestedReceiver {
  /** It was behind before on this connection, and has caught up. */
  readonly hasCaughtUp: boolean;
  /** @returns false if there is nothing to wait for */
  hold(publisher: HeldPublisher): boolean;
}

export class Publication {
  message: Message = new Message();
  /** The latest ticket of what its receivers recorded: the publisher's acknowledgement waits for it. */
  ticket = 0;
  /** How many subscribers it was handed to, or waits for. */
  receivers = 0;
  /** It asked to be retained, and the limits on retained messages forbid it: nobody has got it, and the publisher is told. */
  isRetainRefused = false;
  /** A work queue does not take it: nobody has got it, and the publisher is to be told, or to wait. */
  isRefused = false;
  /** What the publisher is to be told then. */
  refusalCode: ReasonCode = ReasonCode.QuotaExceeded;
  /** A receiver that cannot keep up: the publisher should wait for it. */
  congested: CongestedReceiver | null = null;
  #kept: Message | null = null;

  /** Starts over with `message`, whose bytes are valid until the caller's turn ends. */
  begin(message: Message): void {
    this.#reset(message);
    this.#kept = null;
  }

  /** Starts over with a message that is already safe to keep. */
  beginKept(message: Message): void {
    this.#reset(message);
    this.#kept = message;
  }

  #reset(message: Message): void {
    this.message = message;
    this.ticket = 0;
    this.receivers = 0;
    this.isRetainRefused = false;
    this.isRefused = false;
    this.refusalCode = ReasonCode.QuotaExceeded;
    this.congested = null;
  }

  /** The message in a form that may be held on to: its bytes pin no more memory than they are worth. */
  keep(): Message {
    if (this.#kept === null) this.#kept = keepMessage(this.message);
    return this.#kept;
  }
}

function keepMessage(message: Message): Message {
  const kept = message.clone();
  const { span } = message;
  if (message.bytes.buffer.byteLength > LARGEST_PINNED_CHUNK + 2 * span) moveToArena(kept, span);
  return kept;
}

/*
 * Kept messages are packed into slabs one after the other: a copy without a Buffer object for each. A slab is freed
 * when the last message in it is, so that one survivor pins at most this much.
 */
const SLAB_BYTES = 16 * 1024;
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let slabUsed = 0;

function moveToArena(message: Message, span: number): void {
  if (span > SLAB_BYTES / 4) {
    message.moveTo(Buffer.allocUnsafeSlow(span), 0);
    return;
  }
  if (slabUsed + span > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    slabUsed = 0;
  }
  message.moveTo(slab, slabUsed);
  slabUsed += span;
}
