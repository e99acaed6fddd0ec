/**
 * One call of receive, from when it is made until it is answered or taken back. It holds what was taken for it until that is on disk.
 *
 *   waiting ──taken for it──▶ committing ──settled──▶ answered
 *      └────────┴── cancel ──▶ cancelled: what was taken goes back at once, uncounted
 */
import { WheelTimer } from '../core/timing-wheel.js';
import type { Consumer, PendingCall } from './consumer.js';
import type { Delivery } from './delivery.js';
import type { Answer } from './settled-answers.js';

export interface ReceiveOptions {
  /** Messages at most. */
  readonly max: number;
  /** How long to wait if there are none; 0 to be answered at once, infinity for as long as it takes. */
  readonly waitMs?: number;
  /** Instead of the queue's; null: for as long as the consumer is there. */
  readonly visibilityTimeoutMs?: number | null;
  /** Whoever goes gives back what he has. Left out if nobody can go. */
  readonly consumer?: Consumer;
  /** Messages that the consumer may have in flight. */
  readonly prefetch?: number;
  /** Messages of one group in one answer; as many as there are unless given. Fifo queues only. */
  readonly maxPerGroup?: number;
}

/** Whoever receives. Called once for a receive: with nothing if the time was over. */
export interface Receiver {
  onReceived(deliveries: readonly Delivery[]): void;
}

/** What a receive tells the queue that it was made at. */
export interface ReceiveOwner {
  onWaitOver(receive: Receive): void;
  onCancelled(receive: Receive, taken: readonly Delivery[]): void;
  /** @returns what of it has not been taken back meanwhile; null if the receive goes on waiting */
  onSettling(receive: Receive, taken: readonly Delivery[]): readonly Delivery[] | null;
}

export type ReceiveState = 'waiting' | 'committing' | 'answered' | 'cancelled';

const NOTHING: readonly Delivery[] = [];

export class Receive extends WheelTimer implements Answer, PendingCall {
  readonly options: ReceiveOptions;
  /** How long it waits if there are none. */
  readonly endsAtMs: number;
  readonly #receiver: Receiver;
  readonly #owner: ReceiveOwner;
  #state: ReceiveState = 'waiting';
  #taken: readonly Delivery[] = NOTHING;
  /** Links of the list of what its consumer has asked for. */
  before: PendingCall | null = null;
  behind: PendingCall | null = null;
  /** Links of the list of those that wait; owned by Waiters. */
  waiterBefore: Receive | null = null;
  waiterBehind: Receive | null = null;
  isListed = false;

  constructor(options: ReceiveOptions, receiver: Receiver, owner: ReceiveOwner, endsAtMs: number) {
    super();
    this.options = options;
    this.endsAtMs = endsAtMs;
    this.#receiver = receiver;
    this.#owner = owner;
    options.consumer?.onCallMade(this);
  }

  get state(): ReceiveState {
    return this.#state;
  }

  /** Messages that may be taken for it now. */
  get room(): number {
    const { max, prefetch, consumer } = this.options;
    return prefetch === undefined || consumer === undefined ? max : Math.min(max, prefetch - consumer.held);
  }

  get isServable(): boolean {
    return this.isListed && this.room > 0;
  }

  /** Messages have been taken for it, or none, and the answer may leave when that is settled. */
  onTaken(deliveries: readonly Delivery[]): void {
    this.#state = 'committing';
    this.#taken = deliveries;
  }

  /** All that was taken for it has been taken back: it waits again. */
  onTakenBack(): void {
    this.#state = 'waiting';
    this.#taken = NOTHING;
  }

  onSettled(): void {
    if (this.#state !== 'committing') return;
    const taken = this.#owner.onSettling(this, this.#taken);
    if (taken === null) return;
    this.#state = 'answered';
    this.options.consumer?.onCallEnded(this);
    this.#taken = NOTHING;
    this.#receiver.onReceived(taken);
  }

  override onDue(): void {
    this.#owner.onWaitOver(this);
  }

  /** Nobody is there any more to be answered. Does nothing if the answer has left. */
  cancel(): void {
    if (this.#state !== 'waiting' && this.#state !== 'committing') return;
    this.#state = 'cancelled';
    this.options.consumer?.onCallEnded(this);
    const taken = this.#taken;
    this.#taken = NOTHING;
    this.#owner.onCancelled(this, taken);
  }
}
