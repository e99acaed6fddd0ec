/**
 * Whether a client's input is handled. While there is a cause to hold it, nothing is read from its channel, and what has been read waits. When the last
 * cause is gone, input goes on in a turn of its own: others may be in mid-flight now.
 *
 *   open ──hold(cause)──▶ held ──release(the last one)──▶ open, from the next turn on
 *     └──────────────────────┴──close()──▶ closed
 */
import type { CloseReason } from '../core/close-reason.js';
import type { CongestedReceiver, HeldPublisher } from '../core/publication.js';
import { ReasonCode } from '../core/reason-code.js';
import type { ByteChannel } from '../transport/byte-channel.js';
import type { BrokerContext } from './broker-context.js';
import { InboundPace, type PacedInput } from './inbound-pace.js';
import type { RateMeter } from './rate-meter.js';

/** Causes, as bits. */
export const Hold = { Receiver: 1, Journal: 2, Authentication: 4, Connack: 8, Rate: 16, Turn: 32 } as const;
export type Hold = (typeof Hold)[keyof typeof Hold];

const CLOSED = 64;
/** What only makes a client wait, and takes nothing away from what it has sent. */
const PATIENCE = Hold.Receiver | Hold.Rate;

/** What is held. */
export interface GatedInput {
  /** Goes on with what was held back. @param deferred a packet that comes first, again */
  resumeInput(deferred: Buffer | null): void;
}

/** Whose input it is. */
export interface GateOwner {
  close(reason: CloseReason, reasonCode: ReasonCode, reasonString: string): void;
}

export class InputGate implements HeldPublisher, PacedInput {
  readonly #context: BrokerContext;
  readonly #channel: ByteChannel;
  readonly #input: GatedInput;
  readonly #owner: GateOwner;
  #receivedAtMs: number;
  #holds = 0;
  #waitsAgainAtMs = 0;
  /** A PUBLISH that could not be taken while nothing can be stored, or a work queue is full. */
  #deferred: Buffer | null = null;
  /** For a work queue is full. */
  #waitsForRoom = false;
  /** Null if the client may publish as fast as it can, or what is too fast is refused. */
  #pace: InboundPace | null = null;

  constructor(context: BrokerContext, channel: ByteChannel, input: GatedInput, owner: GateOwner) {
    this.#context = context;
    this.#channel = channel;
    this.#input = input;
    this.#owner = owner;
    this.#receivedAtMs = context.clock.now();
  }

  /** When something came last, or could have been heard, ms. */
  get receivedAtMs(): number {
    return this.#receivedAtMs;
  }

  /** Something has come. */
  noteReceived(): void {
    this.#receivedAtMs = this.#context.clock.now();
  }

  get isOpen(): boolean {
    return this.#holds === 0;
  }

  get isClosed(): boolean {
    return (this.#holds & CLOSED) !== 0;
  }

  isHeldBy(cause: Hold): boolean {
    return (this.#holds & cause) !== 0;
  }

  /** When something was last heard of the client, ms. While we do not read it we cannot hear it: that counts as now. */
  heardAtMs(nowMs: number): number {
    return this.#holds === 0 ? this.#receivedAtMs : nowMs;
  }

  hold(cause: Hold): void {
    if (this.#holds === 0) this.#channel.pause();
    this.#holds |= cause;
  }

  /** Takes one cause away. */
  release(cause: Hold): void {
    if ((this.#holds & cause) === 0 || this.isClosed) return;
    this.#holds &= ~cause;
    if (this.#holds !== 0) return;
    // While we did not read we could not hear: the keep alive must not run out on what came before.
    this.#receivedAtMs = this.#context.clock.now();
    setImmediate(() => this.#resume());
  }

  /** The client has ended its side in order. @returns whether what it had sent before may be handled now, without waiting */
  liftAtEnd(): boolean {
    if (this.#holds === 0 || (this.#holds & ~PATIENCE) !== 0) return false;
    this.#holds = 0;
    return true;
  }

  close(): void {
    this.#holds |= CLOSED;
    this.#pace?.stop();
    this.#context.storage.forget(this);
    this.#context.queueRoom.forget(this);
  }

  /** @param isStrict whoever is above the rate is disconnected, and not read later */
  limitRate(meter: RateMeter, isStrict: boolean): void {
    this.#pace = new InboundPace(meter, isStrict, this.#context.wheel, this);
  }

  /** A PUBLISH of so many bytes has come. */
  spend(bytes: number): void {
    if (this.#pace !== null && this.#deferred === null) this.#pace.spend(bytes, this.#receivedAtMs);
  }

  /** Holds the input until the receiver of a PUBLISH has caught up. @param bytes in which the PUBLISH is */
  waitFor(receiver: CongestedReceiver, bytes: Buffer, start: number, end: number): void {
    const { storage, queueRoom, metrics } = this.#context;
    this.#waitsForRoom = receiver === queueRoom;
    if (receiver === storage.outage || this.#waitsForRoom) this.#deferred = Buffer.from(bytes.subarray(start, end));
    if (!receiver.hasCaughtUp && this.#receivedAtMs < this.#waitsAgainAtMs) return;
    if (!receiver.hold(this)) return;
    metrics.publishersHeld++;
    this.hold(Hold.Receiver);
  }

  // Having waited in vain, we wait for as long again only for those who have caught up before: a client that comes back
  // only to stall once more takes half of the publishers' time at most.
  onReleased(inVain: boolean): void {
    const { storage, clock, limits } = this.#context;
    if (inVain && !storage.isAccepting) {
      this.#owner.close('storage-unavailable', ReasonCode.QuotaExceeded, 'messages cannot be stored at the moment');
      return;
    }
    if (inVain && this.#waitsForRoom) {
      this.#owner.close('work-queue-full', ReasonCode.QuotaExceeded, 'a work queue has been full for too long');
      return;
    }
    if (inVain) this.#waitsAgainAtMs = clock.now() + limits.slowConsumerGraceMs;
    this.release(Hold.Receiver);
  }

  onRateReached(): void {
    this.hold(Hold.Rate);
  }

  onRateRecovered(): void {
    this.release(Hold.Rate);
  }

  onRateExceeded(): void {
    this.#owner.close('message-rate', ReasonCode.MessageRateTooHigh, 'messages come faster than allowed');
  }

  #resume(): void {
    if (this.#holds !== 0) return;
    const deferred = this.#deferred;
    this.#deferred = null;
    this.#input.resumeInput(deferred);
    if (this.#holds === 0) this.#channel.resume();
  }
}
