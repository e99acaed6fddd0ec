/**
 * The durable store: journal and message log over one committed database. What is recorded in one turn of the event
 * loop, by whichever part of the broker, shares one commit; states of sessions are encoded when it closes.
 */
import type { Clock } from '../core/clock.js';
import type { DurabilityLevel } from '../core/durability.js';
import type { Message } from '../core/message.js';
import { Catalogue } from './catalogue.js';
import type { StoredSession, StoredSubscription, StoredWill } from './catalogue-records.js';
import type { CommittedLevel } from './committed-level.js';
import { type HistoryRows, LevelHistoryRows } from './history-rows.js';
import type { Journal, StateSource } from './journal.js';
import { LevelBlockStore } from './level-block-store.js';
import { MessageLog } from './message-log.js';
import { PersistentCounter } from './persistent-counter.js';
import type { Store, StoreReceiver } from './store.js';
import type { StoreHealth } from './store-health.js';
import { NO_TICKET, type Ticket } from './ticket.js';

export interface LevelStoreOptions {
  readonly clock: Clock;
  /** Bytes of message blocks kept in memory for who will read them. */
  readonly cacheBytes: number;
  /** Bytes on their way to the disk at which publishers wait. */
  readonly maximumPendingBytes: number;
  readonly durability: DurabilityLevel;
  readonly durabilityOf: (topic: string) => DurabilityLevel;
  /** Messages that could not be read back; told once for each block. */
  readonly onDamaged: (messages: number) => void;
  /** Messages of which is not known any more what queues had done with them; told once for each block. */
  readonly onMarksDamaged?: ((messages: number) => void) | undefined;
  /** Told in whole sentences what the owner of the data should know. */
  readonly onNotice?: ((sentence: string) => void) | undefined;
}

/** Numbers reserved at a time: what a crash leaves out of them is never used. */
const SEQUENCE_STEP = 1_000_000;
const SESSION_STEP = 1000;
const STREAM_STEP = 10_000;
const QUEUE_STEP = 1000;

/** How long a change that nobody waits for may stay in memory, ms. */
const LAZY_MS = 100;

interface Counters {
  readonly sequences: PersistentCounter;
  readonly sessionNumbers: PersistentCounter;
  readonly streamIds: PersistentCounter;
  readonly queueNumbers: PersistentCounter;
}

export class LevelStore implements Store, Journal {
  readonly log: MessageLog;
  readonly history: HistoryRows;
  readonly sessionNumbers: PersistentCounter;
  readonly streamIds: PersistentCounter;
  readonly queueNumbers: PersistentCounter;
  readonly durability: DurabilityLevel;
  readonly durabilityOf: (topic: string) => DurabilityLevel;
  readonly #level: CommittedLevel;
  readonly #catalogue: Catalogue;
  readonly #sequences: PersistentCounter;
  readonly #blocks: LevelBlockStore;
  readonly #clock: Clock;
  readonly #maximumPendingBytes: number;
  #urgent = new Set<StateSource>();
  #lazy = new Set<StateSource>();
  #isLazyDue = false;
  #isLazyScheduled = false;

  private constructor(level: CommittedLevel, counters: Counters, options: LevelStoreOptions) {
    this.#level = level;
    this.#catalogue = new Catalogue(level);
    this.history = new LevelHistoryRows(level);
    this.#clock = options.clock;
    this.#maximumPendingBytes = options.maximumPendingBytes;
    this.durability = options.durability;
    this.durabilityOf = options.durabilityOf;
    this.#sequences = counters.sequences;
    this.sessionNumbers = counters.sessionNumbers;
    this.streamIds = counters.streamIds;
    this.queueNumbers = counters.queueNumbers;
    const { cacheBytes, onDamaged, onMarksDamaged, clock } = options;
    this.#blocks = new LevelBlockStore(level);
    this.log = new MessageLog(this.#blocks, counters.sequences, {
      cacheBytes,
      onDamaged,
      onMarksDamaged,
      later: (callback) => clock.schedule(LAZY_MS, callback),
    });
    level.setContributor({ contribute: () => this.#contribute() });
  }

  /** @param level open */
  static async open(level: CommittedLevel, options: LevelStoreOptions): Promise<LevelStore> {
    const load = (name: string, step: number, what: string): Promise<PersistentCounter> =>
      PersistentCounter.load(level, name, step, () => {
        options.onNotice?.(
          `The record of which ${what} have been given out was lost or damaged; the next ones are above all that the ` +
            `store in ${level.location} holds.`,
        );
      });
    const counters = {
      sequences: await load('sequence', SEQUENCE_STEP, 'message numbers'),
      sessionNumbers: await load('session', SESSION_STEP, 'session numbers'),
      streamIds: await load('stream', STREAM_STEP, 'stream numbers'),
      queueNumbers: await load('queue', QUEUE_STEP, 'queue numbers'),
    };
    return new LevelStore(level, counters, options);
  }

  get journal(): Journal {
    return this;
  }

  get health(): StoreHealth {
    return this.#level.health;
  }

  get isCongested(): boolean {
    return this.#level.pendingBytes + this.log.unwrittenBytes > this.#maximumPendingBytes;
  }

  get isBusy(): boolean {
    return this.#level.isCommitting || this.#blocks.isReading;
  }

  get settledTicket(): Ticket {
    return this.#level.settledTicket;
  }

  onHealthChanged(listener: (health: StoreHealth) => void): void {
    this.#level.onHealthChanged(listener);
  }

  onSettled(listener: () => void): void {
    this.#level.onSettled(listener);
  }

  async load(receiver: StoreReceiver): Promise<number> {
    const { damaged, largest } = await this.#catalogue.load(receiver);
    // Damage may have taken the reservations of the counters: numbers that are in use must not be given out again.
    this.log.ensureAbove(Math.max(largest.sequence, await this.#blocks.findLargestSequence()));
    this.sessionNumbers.ensureAbove(largest.sessionNumber);
    this.streamIds.ensureAbove(largest.streamId);
    this.queueNumbers.ensureAbove(largest.queueNumber);
    return damaged;
  }

  sessionSaved(session: StoredSession): Ticket {
    return this.#catalogue.sessionSaved(session);
  }

  sessionRemoved(session: StoredSession, filters: Iterable<string>): Ticket {
    return this.#catalogue.sessionRemoved(session, filters);
  }

  subscriptionSaved(clientId: string, subscription: StoredSubscription): Ticket {
    return this.#catalogue.subscriptionSaved(clientId, subscription);
  }

  subscriptionRemoved(clientId: string, filter: string): Ticket {
    return this.#catalogue.subscriptionRemoved(clientId, filter);
  }

  willSaved(clientId: string, will: StoredWill): Ticket {
    return this.#catalogue.willSaved(clientId, will);
  }

  willRemoved(clientId: string): Ticket {
    return this.#catalogue.willRemoved(clientId);
  }

  retainedSaved(message: Message): Ticket {
    // What an earlier message with a higher level has left must not come back after a restart.
    if (this.durabilityOf(message.topic) === 'memory') {
      this.#catalogue.retainedRemoved(message.topic);
      return NO_TICKET;
    }
    return this.#catalogue.retainedSaved(message);
  }

  retainedRemoved(topic: string): Ticket {
    const ticket = this.#catalogue.retainedRemoved(topic);
    return this.durabilityOf(topic) === 'memory' ? NO_TICKET : ticket;
  }

  queueSaved(number: number, bytes: Buffer): Ticket {
    return this.#catalogue.queues.saved(number, bytes);
  }

  queueRemoved(number: number): Ticket {
    return this.#catalogue.queues.removed(number);
  }

  queueChunkSaved(queue: number, chunk: number, bytes: Buffer): Ticket {
    return this.#catalogue.queues.chunkSaved(queue, chunk, bytes);
  }

  queueChunksRemoved(queue: number, below: number): Ticket {
    return this.#catalogue.queues.chunksRemoved(queue, below);
  }

  noteSaved(name: string, bytes: Buffer): Ticket {
    return this.#catalogue.noteSaved(name, bytes);
  }

  noteRemoved(name: string): Ticket {
    return this.#catalogue.noteRemoved(name);
  }

  stateChanged(source: StateSource, isUrgent: boolean): Ticket {
    if (isUrgent) {
      this.#urgent.add(source);
      return this.#level.requireCommit();
    }
    this.#lazy.add(source);
    if (source.isWorthStoring) this.#level.requireCommit(false);
    else this.#scheduleLazy();
    return NO_TICKET;
  }

  flush(): Promise<void> {
    this.#isLazyDue = true;
    this.#level.requireCommit();
    return this.#level.flush();
  }

  async close(): Promise<void> {
    this.log.close();
    this.#isLazyDue = true;
    if (this.#lazy.size > 0) this.#level.requireCommit();
    this.#sequences.release();
    this.sessionNumbers.release();
    this.streamIds.release();
    this.queueNumbers.release();
    await this.#level.close();
  }

  #contribute(): void {
    const urgent = this.#urgent;
    // Not cleared: see Catalogue.
    if (urgent.size > 0) this.#urgent = new Set();
    for (const source of urgent) this.#store(source);
    for (const source of this.#lazy) if (this.#isLazyDue || source.isWorthStoring) this.#store(source);
    this.#isLazyDue = false;
    this.log.contribute();
    this.#catalogue.contribute();
    this.#blocks.reclaim();
  }

  #store(source: StateSource): void {
    this.#lazy.delete(source);
    const bytes = source.encodeState();
    if (bytes !== null) this.#catalogue.stateSaved(source.number, bytes);
  }

  #scheduleLazy(): void {
    if (this.#isLazyScheduled) return;
    this.#isLazyScheduled = true;
    this.#clock.schedule(LAZY_MS, () => {
      this.#isLazyScheduled = false;
      if (this.#lazy.size === 0) return;
      this.#isLazyDue = true;
      this.#level.requireCommit(false);
    });
  }
}
