/**
 * Whoever keeps queues in the store, as those see him who restore it: he gets what is his of a start, and is told when more has been
 * settled. Understands what the store only keeps.
 */
import type { RecordOutline } from './message-record.js';

export interface StoredQueues {
  /** @param bytes as they were saved; may be kept, as those of a chunk */
  onQueue(number: number, bytes: Buffer): void;
  /** After all queues, in order. */
  onQueueChunk(queue: number, chunk: number, bytes: Buffer): void;
  /** Takes over the entries of a message that the log has found; called for each, in order. @returns how many need it */
  referencesTo(record: Readonly<RecordOutline>): number;
  /** Everything has been found: from now on anything may be done. */
  onRestored(): void;
  /** The journal has settled more. */
  onSettled(): void;
}
