/**
 * What the queues need of the message log. Everything recorded between two commits is in one commit, all or nothing, and
 * commits are kept in order; a ticket names one. The log asks its client for states and chunks when a commit closes,
 * once however often they changed, and tells it when tickets are settled.
 */
import type { Message } from '../core/message.js';
import type { Ticket } from '../store/ticket.js';
import type { HistoryLog } from './history/history-log.js';

/** What a queue has to say about a message, beside it and never changed; only the queue understands it. */
export interface QueueEntry {
  readonly queue: number;
  readonly bytes: Buffer;
}

export interface AppendedMessage {
  /** Larger than all before, below 2^48. */
  readonly sequence: number;
  readonly ticket: Ticket;
}

/** Told when a message that had to be read is there, or is known to be lost. */
export interface QueueLogReader {
  onLoaded(): void;
}

/** For who does not wait. */
export const NOBODY: QueueLogReader = { onLoaded(): void {} };

export interface QueueLog {
  /** The last commit that is on disk. */
  readonly settledTicket: Ticket;
  /** For the history of messages; null where nothing outlives the process. */
  readonly history: HistoryLog | null;
  /** Stores a message once for all the queues of `entries`; each of them will settle or forget it. */
  append(message: Message, entries: readonly QueueEntry[]): AppendedMessage;
  /** @returns null if it is gone or lost; undefined if it has to be read: `reader` is told then */
  find(sequence: number, reader: QueueLogReader): Message | null | undefined;
  /** The queue's entry of a message that {@link find} has just found; null if there is none. */
  findEntry(sequence: number, queue: number): Buffer | null | undefined;
  /** The queue has done with the message, also if that was lost. */
  settle(queue: number, sequence: number): Ticket;
  /** {@link QueueLogClient.encodeState} gives something else from now on. */
  stateChanged(queue: number, sequence: number): Ticket;
  /** A queue whose removal is on record lets go of one of its messages: nothing needs to be recorded. */
  forget(queue: number, sequence: number): void;
  /** Keeps the definition of a queue. Number 0 is kept for what belongs to all of them. */
  queueSaved(queue: number, definition: Buffer): Ticket;
  /** The number is given up, with its definition, its chunks and whatever the log holds for it. */
  queueRemoved(queue: number): Ticket;
  /** {@link QueueLogClient.encodeChunk} gives something else from now on. */
  chunkChanged(queue: number, chunk: number): Ticket;
  /** Chunks with lower numbers are not needed any more. */
  chunksRemoved(queue: number, below: number): void;
}

export interface QueueLogClient {
  /** The state of an unsettled message; null if it has none beyond its entry. */
  encodeState(queue: number, sequence: number): Buffer | null;
  encodeChunk(queue: number, chunk: number): Buffer | null;
  /** {@link QueueLog.settledTicket} has grown. */
  onSettled(): void;
}

/** What a log calls after a start, before anything else: definitions, then chunks, then messages, each kind in order. */
export interface QueueLogRecovery {
  restoreQueue(queue: number, definition: Buffer): void;
  restoreChunk(queue: number, chunk: number, bytes: Buffer): void;
  /** @param byteLength of the content @returns false if no such queue exists: the log may let go of the message */
  restoreMessage(queue: number, sequence: number, entry: Buffer, state: Buffer | null, byteLength: number): boolean;
}
