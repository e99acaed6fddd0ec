/** What is told of a queue at one moment: what it has, what has become of the rest since the process began, and how fast. */
import { QUEUE_DROP_REASONS, type QueueCounters, type QueueDropReason } from './queue-counters.js';
import type { QueueRates } from './rate-meters.js';

export interface QueueStatistics {
  readonly ready: number;
  readonly inFlight: number;
  readonly delayed: number;
  readonly bytes: number;
  readonly groups: number;
  /** How long ago the oldest message was enqueued; 0 if there is none. */
  readonly oldestAgeMs: number;
  readonly waitingReceives: number;
  readonly consumers: number;
  readonly totals: QueueTotals;
  readonly rates: QueueRates;
}

/** Since the process began. */
export interface QueueTotals {
  readonly enqueued: number;
  /** Times that a message was given to a consumer. */
  readonly receives: number;
  readonly acknowledged: number;
  readonly duplicates: number;
  /** Messages that went to the dead-letter queue. */
  readonly deadLetters: number;
  readonly dropped: Readonly<Record<QueueDropReason, number>>;
}

export function totalsOf(counters: QueueCounters): QueueTotals {
  const { enqueued, receives, acknowledged, duplicates, deadLetters } = counters;
  const dropped = Object.fromEntries(QUEUE_DROP_REASONS.map((reason) => [reason, counters.dropsOf(reason)]));
  return {
    enqueued,
    receives,
    acknowledged,
    duplicates,
    deadLetters,
    dropped: dropped as Record<QueueDropReason, number>,
  };
}
