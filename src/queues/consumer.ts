/** Somebody who takes messages from a queue for as long as it is there: a connection, a webhook. */
import { type Linked, LinkedList } from '../core/linked-list.js';
import type { GroupLane, LaneOwner } from './group-lane.js';
import type { MessageHolder, TrackedMessage } from './tracked-message.js';

/** A call that waits for an answer. */
export interface PendingCall extends Linked<PendingCall> {
  /** It may be given something now. */
  readonly isServable: boolean;
  cancel(): void;
}

/** Who serves it. Called while messages change their states. */
export interface ConsumerServer {
  /** It holds one message less. */
  onConsumerReady(consumer: Consumer): void;
  /** There are messages for nobody but it. */
  onConsumerOwns(consumer: Consumer): void;
}

export class Consumer implements MessageHolder, LaneOwner {
  readonly name: string;
  readonly #held = new LinkedList<TrackedMessage>();
  readonly #pending = new LinkedList<PendingCall>();
  readonly #server: ConsumerServer;
  /** Groups of which it has messages, and gets more. */
  readonly #ownLanes = new Set<GroupLane>();
  #isOwnTurn = false;

  constructor(name: string, server: ConsumerServer) {
    this.name = name;
    this.#server = server;
  }

  onOwnLane(lane: GroupLane, isReady: boolean): void {
    if (!isReady) {
      this.#ownLanes.delete(lane);
    } else if (!this.#ownLanes.has(lane)) {
      this.#ownLanes.add(lane);
      this.#server.onConsumerOwns(this);
    }
  }

  get hasOwnLanes(): boolean {
    return this.#ownLanes.size > 0;
  }

  /** The group whose turn it is among its own, every other time: a group that it has must not shut out all others. */
  takeOwnLane(areOthersReady: boolean): GroupLane | null {
    this.#isOwnTurn = !this.#isOwnTurn || !areOthersReady;
    const first = this.#isOwnTurn ? this.#ownLanes.values().next().value : undefined;
    if (first === undefined) return null;
    this.#ownLanes.delete(first);
    return first;
  }

  /** What it has asked for and may be given now; null for nothing. */
  findServable(): PendingCall | null {
    for (const call of this.#pending) if (call.isServable) return call;
    return null;
  }

  /** Messages that it has in flight. */
  get held(): number {
    return this.#held.size;
  }

  onTaken(message: TrackedMessage): void {
    this.#held.add(message);
  }

  /** The message is in flight with it no longer. */
  onReleased(message: TrackedMessage): void {
    if (this.#held.delete(message)) this.#server.onConsumerReady(this);
  }

  /** The queue has given up all messages. */
  onPurged(): void {
    this.#ownLanes.clear();
    for (const message of this.heldMessages()) {
      message.holder = null;
      this.onReleased(message);
    }
  }

  onCallMade(call: PendingCall): void {
    this.#pending.add(call);
  }

  onCallEnded(call: PendingCall): void {
    this.#pending.delete(call);
  }

  /** Takes back what it has asked for and was not answered. */
  cancelCalls(): void {
    for (const call of [...this.#pending]) call.cancel();
  }

  /** In the order in which it was given them. */
  heldMessages(): readonly TrackedMessage[] {
    return [...this.#held];
  }
}
