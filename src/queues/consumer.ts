/** Somebody who takes messages from a queue for as long as it is there: a connection, a webhook. */
import type { MessageHolder, TrackedMessage } from './tracked-message.js';

/** A call that waits for an answer. */
export interface PendingCall {
  cancel(): void;
}

export class Consumer implements MessageHolder {
  readonly name: string;
  readonly #held = new Set<TrackedMessage>();
  readonly #pending = new Set<PendingCall>();
  readonly #onRoom: (consumer: Consumer) => void;

  /** @param onRoom called when it holds one message less */
  constructor(name: string, onRoom: (consumer: Consumer) => void) {
    this.name = name;
    this.#onRoom = onRoom;
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
    if (this.#held.delete(message)) this.#onRoom(this);
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
