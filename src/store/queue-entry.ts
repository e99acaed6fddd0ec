/** What goes on record with a message for a queue in which it stands: never changed, and understood by queues alone. */
export interface QueueEntry {
  /** The queue's number. */
  readonly queue: number;
  readonly bytes: Uint8Array;
}

/** The message stands in no queue. */
export const NO_ENTRIES: readonly QueueEntry[] = [];
