/**
 * The queues' log in the store: messages and marks in the message log, definitions and chunks of ids in the journal. Chunks are
 * encoded when the commit closes, which is when the journal asks whoever has announced a change for his state; the state
 * itself is nothing, the chunks are put beside it.
 *
 *   const log = new StoredQueueLog(store, clock);
 *   const queues = new QueueRegistry(log, log.clock, randomBytes);
 *   log.connect(queues);            // then the store is restored with `log` as its StoredQueues
 */
import type { Clock } from '../core/clock.js';
import type { Message } from '../core/message.js';
import type { StateSource } from '../store/journal.js';
import type { RecordOutline } from '../store/message-record.js';
import type { Store } from '../store/store.js';
import type { StoredQueues } from '../store/stored-queues.js';
import type { Ticket } from '../store/ticket.js';
import { HeldClock } from './held-clock.js';
import type { HistoryLog } from './history/history-log.js';
import { StoredHistoryLog } from './history/stored-history-log.js';
import {
  type AppendedMessage,
  NOBODY,
  type QueueEntry,
  type QueueLog,
  type QueueLogClient,
  type QueueLogReader,
  type QueueLogRecovery,
} from './queue-log.js';

/** The message stands in no stream of a session. */
const NO_STREAMS: readonly never[] = [];

interface DirtyChunk {
  readonly queue: number;
  readonly chunk: number;
}

export class StoredQueueLog implements QueueLog, StoredQueues, StateSource {
  /** For the queues: it stands still for them until everything is restored. */
  readonly clock: Clock;
  readonly history: HistoryLog | null;
  /** Of a state that is never stored. */
  readonly number = 0;
  readonly isWorthStoring = false;
  readonly #store: Store;
  readonly #heldClock: HeldClock;
  #client: (QueueLogClient & QueueLogRecovery) | null = null;
  /** By queue and chunk. */
  readonly #dirtyChunks = new Map<string, DirtyChunk>();
  /** The store's counter of queue numbers has come so far. */
  #countedQueues = 0;
  #whenRestored: () => void = () => {};

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.history = store.history === null ? null : new StoredHistoryLog(store, store.history);
    this.#heldClock = new HeldClock(clock);
    this.clock = this.#heldClock;
  }

  /**
   * The queues: asked for states and chunks from now on, and given what a start finds.
   * @param onRestored called when they have got all of it
   */
  connect(client: QueueLogClient & QueueLogRecovery, onRestored: () => void = () => {}): void {
    this.#client = client;
    this.#whenRestored = onRestored;
    this.#store.log.setQueueStates(client);
  }

  get settledTicket(): Ticket {
    return this.#store.journal.settledTicket;
  }

  append(message: Message, entries: readonly QueueEntry[]): AppendedMessage {
    const { log } = this.#store;
    const sequence = log.nextSequence;
    const durability = this.#store.durabilityOf(message.topic);
    return { sequence, ticket: log.append(message, NO_STREAMS, entries.length, durability, entries) };
  }

  find(sequence: number, reader: QueueLogReader): Message | null | undefined {
    return this.#store.log.find(sequence, reader);
  }

  findEntry(sequence: number, queue: number): Buffer | null | undefined {
    return this.#store.log.findEntry(sequence, queue, NOBODY);
  }

  settle(queue: number, sequence: number): Ticket {
    return this.#store.log.settle(queue, sequence, true);
  }

  stateChanged(queue: number, sequence: number): Ticket {
    return this.#store.log.stateChanged(queue, sequence, true);
  }

  forget(_queue: number, sequence: number): void {
    this.#store.log.release(sequence);
  }

  queueSaved(queue: number, definition: Buffer): Ticket {
    // The store looks at its own counter when it is damaged: that must not fall behind.
    while (this.#countedQueues < queue) this.#countedQueues = this.#store.queueNumbers.next();
    return this.#store.journal.queueSaved(queue, definition);
  }

  queueRemoved(queue: number): Ticket {
    this.#store.log.forgetQueue(queue);
    return this.#store.journal.queueRemoved(queue);
  }

  chunkChanged(queue: number, chunk: number): Ticket {
    this.#dirtyChunks.set(`${queue} ${chunk}`, { queue, chunk });
    return this.#store.journal.stateChanged(this, true);
  }

  chunksRemoved(queue: number, below: number): void {
    this.#store.journal.queueChunksRemoved(queue, below);
  }

  /** The commit closes. @returns nothing to store beside the chunks */
  encodeState(): null {
    for (const { queue, chunk } of this.#dirtyChunks.values()) {
      const bytes = this.#client?.encodeChunk(queue, chunk) ?? null;
      if (bytes !== null) this.#store.journal.queueChunkSaved(queue, chunk, bytes);
    }
    this.#dirtyChunks.clear();
    return null;
  }

  onQueue(number: number, bytes: Buffer): void {
    this.#client?.restoreQueue(number, bytes);
  }

  onQueueChunk(queue: number, chunk: number, bytes: Buffer): void {
    this.#client?.restoreChunk(queue, chunk, bytes);
  }

  referencesTo({ sequence, byteLength, entries }: Readonly<RecordOutline>): number {
    let references = 0;
    for (const { queue, bytes, isSettled, state } of entries) {
      // A queue that is no more: a new one of this number would get its messages.
      this.#store.queueNumbers.ensureAbove?.(queue);
      if (isSettled) continue;
      if (this.#client?.restoreMessage(queue, sequence, bytes, state, byteLength) === true) references++;
    }
    return references;
  }

  onRestored(): void {
    this.#whenRestored();
    this.#heldClock.release();
  }

  onSettled(): void {
    this.#client?.onSettled();
  }
}
