/**
 * What has become of the messages of a queue. At any moment:
 *
 *   enqueued + restored = acknowledged + dropped + moved + waiting + in flight + delayed
 */

/** Why a message left a queue without being acknowledged or moved. The history stores their places: new ones go to the end. */
export const QUEUE_DROP_REASONS = [
  /** Its Message Expiry Interval ran out. */
  'expired',
  /** It has been in queues for longer than is kept. */
  'retention',
  /** It was the oldest when the queue was full. */
  'overflow',
  /** A newer message with its key has come. */
  'compacted',
  /** A consumer refused it for good, and there is no dead-letter queue. */
  'rejected',
  'purged',
  'deleted',
  /** What was stored of it cannot be read back. */
  'storage-damaged',
] as const;
export type QueueDropReason = (typeof QUEUE_DROP_REASONS)[number];

/** Why a message was not taken. */
export const REFUSAL_REASONS = [
  'queue-full',
  /** Its deduplication id could not be remembered: too many of the window are. */
  'deduplication-full',
  'message-too-large',
  'invalid-priority',
  'invalid-delay',
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** Whether there may be room for the message later. */
export function isForRoom(reason: RefusalReason | 'missing'): boolean {
  return reason === 'queue-full' || reason === 'deduplication-full';
}

export class QueueCounters {
  enqueued = 0;
  restored = 0;
  acknowledged = 0;
  /** To a dead-letter queue, or by a redrive. */
  moved = 0;
  /** Of those that were moved, the ones that nobody could work on. */
  deadLetters = 0;
  duplicates = 0;
  /** Times that a message was given to a consumer. */
  receives = 0;
  refusedByConsumer = 0;
  /** Times that a message came back with an earlier one of its group, in a pipelined queue. */
  recalled = 0;
  /** Times that a message became visible again because nobody had acknowledged it. */
  visibilityTimeouts = 0;
  /** Times that the dead-letter queue did not take a message: it is full or missing. */
  deadLettersHeldBack = 0;
  readonly #drops = new Map<QueueDropReason, number>(QUEUE_DROP_REASONS.map((reason) => [reason, 0]));
  readonly #refusals = new Map<RefusalReason, number>(REFUSAL_REASONS.map((reason) => [reason, 0]));

  drop(reason: QueueDropReason, messages = 1): void {
    this.#drops.set(reason, this.dropsOf(reason) + messages);
  }

  refuse(reason: RefusalReason): void {
    this.#refusals.set(reason, this.refusalsOf(reason) + 1);
  }

  dropsOf(reason: QueueDropReason): number {
    return this.#drops.get(reason) ?? 0;
  }

  refusalsOf(reason: RefusalReason): number {
    return this.#refusals.get(reason) ?? 0;
  }

  get dropped(): number {
    let sum = 0;
    for (const count of this.#drops.values()) sum += count;
    return sum;
  }
}
