/** A message that is more than its number: it is in flight, waits for its time, or has come back. */
import type { Linked } from '../core/linked-list.js';
import type { GroupLane } from './group-lane.js';

/** Can be received; it came back, or its delay is over. */
export const READY = 0;
export const IN_FLIGHT = 1;
/** May not be received before its time: it is new, or waits for its retry. */
export const DELAYED = 2;
/** Settled: nothing refers to it but what has not been cleaned up. */
export const GONE = 3;

export type TrackedState = typeof READY | typeof IN_FLIGHT | typeof DELAYED | typeof GONE;

/** No visibility timeout: the consumer's end is what gives it back. */
export const NEVER = Number.POSITIVE_INFINITY;

/** What has happened to a message so far. */
export interface StoredHistory {
  readonly attempts: number;
  readonly generation: number;
  readonly firstReceivedAtMs: number;
  readonly firstFailedAtMs: number;
  readonly lastFailedAtMs: number;
  readonly isRejected: boolean;
  readonly isSuperseded: boolean;
}

/** Of a message whose publisher wants to know what becomes of it. */
export interface Receipt {
  readonly id: string;
  readonly receiptTo: string;
}

/** Who has a message in flight, and may go. */
export interface MessageHolder {
  /** As it is told in the history. */
  readonly name: string;
  /** The message is in flight with it no longer. */
  onReleased(message: TrackedMessage): void;
}

export class TrackedMessage implements Linked<TrackedMessage> {
  readonly sequence: number;
  readonly lane: GroupLane;
  readonly priority: number;
  /** Bytes of content and entry. */
  readonly bytes: number;
  state: TrackedState = READY;
  /** Receives that count. */
  attempts = 0;
  /** Receives of any kind: tells receipt handles apart. */
  generation = 0;
  /** When it will be visible again, or its delay is over; meaningless while it is ready. */
  dueAtMs = 0;
  firstReceivedAtMs = 0;
  /** 0 if it has not failed. */
  firstFailedAtMs = 0;
  lastFailedAtMs = 0;
  /** A consumer wants it in the dead-letter queue, where it goes when it can be read. */
  isRejected = false;
  /** A newer message with its key has come while it was in flight: it does not come back. */
  isSuperseded = false;
  holder: MessageHolder | null = null;
  /** Links of the list of what its holder has. */
  before: TrackedMessage | null = null;
  behind: TrackedMessage | null = null;
  /** In a queue that gives receipts, once it has been received: its entry's. */
  receipt: Receipt | null = null;
  /** It stands in its lane's heap of those that hold later ones back. */
  isInHeldHeap = false;

  constructor(sequence: number, lane: GroupLane, priority: number, bytes: number) {
    this.sequence = sequence;
    this.lane = lane;
    this.priority = priority;
    this.bytes = bytes;
  }

  get isHeld(): boolean {
    return this.state === IN_FLIGHT || this.state === DELAYED;
  }

  /** Takes over what was stored, but for where it is. */
  restore(stored: StoredHistory): void {
    this.attempts = stored.attempts;
    this.generation = stored.generation;
    this.firstReceivedAtMs = stored.firstReceivedAtMs;
    this.firstFailedAtMs = stored.firstFailedAtMs;
    this.lastFailedAtMs = stored.lastFailedAtMs;
    this.isRejected = stored.isRejected;
    this.isSuperseded = stored.isSuperseded;
  }

  onFailed(atMs: number): void {
    if (this.firstFailedAtMs === 0) this.firstFailedAtMs = atMs;
    this.lastFailedAtMs = atMs;
  }
}
