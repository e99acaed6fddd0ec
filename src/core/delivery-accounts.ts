/**
 * What has become of every QoS 1 and 2 message for every session that it was for. At any moment between two messages:
 *
 *   accepted + restored = delivered + dropped + waiting (in a window or a backlog)
 *
 * so that no message disappears in silence; who can see all sessions checks it.
 */
import type { DropCounters } from './drop-counters.js';
import type { DropReason } from './drop-reason.js';

export class DeliveryAccounts {
  /** Handed to a session: one for each session that a message is for. */
  accepted = 0;
  /** Found waiting at start. */
  restored = 0;
  /** The client has acknowledged it, or has been sent it at QoS 0 after all. */
  delivered = 0;
  #dropped = 0;
  readonly #drops: DropCounters;

  constructor(drops: DropCounters) {
    this.#drops = drops;
  }

  /** Given up, each under its reason. */
  get dropped(): number {
    return this.#dropped;
  }

  drop(reason: DropReason, messages = 1): void {
    this.#dropped += messages;
    this.#drops.count(reason, messages);
  }
}
