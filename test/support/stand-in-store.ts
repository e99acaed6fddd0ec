/** A whole durable store on a stand-in disk: what the next process finds there is what had been settled. */
import type { DurabilityLevel } from '../../src/core/durability.js';
import type { Message } from '../../src/core/message.js';
import type { StoredSession, StoredSubscription, StoredWill } from '../../src/store/catalogue-records.js';
import type { Journal, StateSource } from '../../src/store/journal.js';
import { MessageLog, type NumberSource } from '../../src/store/message-log.js';
import type { Store, StoreReceiver } from '../../src/store/store.js';
import type { StoreHealth } from '../../src/store/store-health.js';
import { NO_TICKET, type Ticket } from '../../src/store/ticket.js';
import { StandInBlockStore } from './stand-in-block-store.js';
import { StandInCommitter, type StandInDisk } from './stand-in-disk.js';

/** Numbers that a process reserves before it gives the first one out: the next one begins behind them. */
const RESERVED = 1_000_000;

class ReservedNumbers implements NumberSource {
  #last: number;

  constructor(disk: StandInDisk, name: string) {
    const key = `counter:${name}`;
    this.#last = (disk.get(key) as number | undefined) ?? 0;
    disk.set(key, this.#last + RESERVED);
  }

  next(): number {
    return ++this.#last;
  }
}

export interface StandInStoreOptions {
  readonly cacheBytes?: number;
  /** Topics whose messages are never written. */
  readonly memoryTopics?: readonly string[];
}

export class StandInStore implements Store, Journal {
  readonly committer: StandInCommitter;
  readonly blocks: StandInBlockStore;
  readonly log: MessageLog;
  readonly history = null;
  readonly sessionNumbers: NumberSource;
  readonly streamIds: NumberSource;
  readonly queueNumbers: NumberSource;
  readonly durability = 'fsync';
  readonly health: StoreHealth = { state: 'ok' };
  readonly isCongested = false;
  readonly isBusy = false;
  damaged = 0;
  readonly #urgent = new Set<StateSource>();
  readonly #lazy = new Set<StateSource>();
  readonly #chunks = new Map<number, Set<number>>();

  readonly #memoryTopics: readonly string[];

  constructor(disk: StandInDisk = new Map(), { cacheBytes = 1 << 20, memoryTopics = [] }: StandInStoreOptions = {}) {
    this.#memoryTopics = memoryTopics;
    this.committer = new StandInCommitter(disk);
    this.blocks = new StandInBlockStore(this.committer);
    this.sessionNumbers = new ReservedNumbers(disk, 'session');
    this.streamIds = new ReservedNumbers(disk, 'stream');
    this.queueNumbers = new ReservedNumbers(disk, 'queue');
    const onDamaged = (messages: number): void => {
      this.damaged += messages;
    };
    this.log = new MessageLog(this.blocks, new ReservedNumbers(disk, 'sequence'), { cacheBytes, onDamaged });
    this.committer.contribute = () => this.#contribute();
  }

  get journal(): Journal {
    return this;
  }

  get settledTicket(): Ticket {
    return this.committer.settledTicket;
  }

  durabilityOf(topic: string): DurabilityLevel {
    return this.#memoryTopics.includes(topic) ? 'memory' : 'fsync';
  }

  onHealthChanged(): void {}

  onSettled(listener: () => void): void {
    this.committer.onSettled = listener;
  }

  async flush(): Promise<void> {
    this.storeLazyStates();
    this.committer.flush();
  }

  close(): Promise<void> {
    return this.flush();
  }

  /** The time has come for states that nobody waits for. */
  storeLazyStates(): void {
    for (const source of this.#lazy) this.#urgent.add(source);
    this.committer.require();
  }

  sessionSaved(session: StoredSession): Ticket {
    return this.committer.put(`session:${session.clientId}`, { ...session });
  }

  sessionRemoved({ clientId, number }: StoredSession, filters: Iterable<string>): Ticket {
    for (const filter of filters) this.committer.remove(subscriptionKey(clientId, filter));
    this.committer.remove(`state:${number}`);
    return this.committer.remove(`session:${clientId}`);
  }

  subscriptionSaved(clientId: string, subscription: StoredSubscription): Ticket {
    return this.committer.put(subscriptionKey(clientId, subscription.filter), { clientId, subscription });
  }

  subscriptionRemoved(clientId: string, filter: string): Ticket {
    return this.committer.remove(subscriptionKey(clientId, filter));
  }

  willSaved(clientId: string, will: StoredWill): Ticket {
    return this.committer.put(`will:${clientId}`, { clientId, will });
  }

  willRemoved(clientId: string): Ticket {
    return this.committer.remove(`will:${clientId}`);
  }

  retainedSaved(message: Message): Ticket {
    return this.committer.put(`retained:${message.topic}`, message);
  }

  retainedRemoved(topic: string): Ticket {
    return this.committer.remove(`retained:${topic}`);
  }

  queueSaved(number: number, bytes: Buffer): Ticket {
    return this.committer.put(`queue:${number}`, Buffer.from(bytes));
  }

  queueRemoved(number: number): Ticket {
    this.queueChunksRemoved(number, Number.POSITIVE_INFINITY);
    return this.committer.remove(`queue:${number}`);
  }

  queueChunkSaved(queue: number, chunk: number, bytes: Buffer): Ticket {
    this.#noteChunk(queue, chunk);
    return this.committer.put(`chunk:${queue}:${chunk}`, Buffer.from(bytes));
  }

  queueChunksRemoved(queue: number, below: number): Ticket {
    for (const chunk of this.#chunks.get(queue) ?? []) {
      if (chunk >= below) continue;
      this.#chunks.get(queue)?.delete(chunk);
      this.committer.remove(`chunk:${queue}:${chunk}`);
    }
    return this.committer.require();
  }

  noteSaved(name: string, bytes: Buffer): Ticket {
    return this.committer.put(`note:${name}`, Buffer.from(bytes));
  }

  noteRemoved(name: string): Ticket {
    return this.committer.remove(`note:${name}`);
  }

  stateChanged(source: StateSource, isUrgent: boolean): Ticket {
    if (!isUrgent) {
      this.#lazy.add(source);
      if (source.isWorthStoring) this.committer.require();
      return NO_TICKET;
    }
    this.#urgent.add(source);
    return this.committer.require();
  }

  async load(receiver: StoreReceiver): Promise<number> {
    for (const value of this.#valuesOf('session:')) receiver.onSession(value as StoredSession);
    for (const [key, value] of this.#entriesOf('state:')) receiver.onState(Number(key), value as Buffer);
    for (const value of this.#valuesOf('subscription:')) {
      const { clientId, subscription } = value as { clientId: string; subscription: StoredSubscription };
      receiver.onSubscription(clientId, subscription);
    }
    for (const value of this.#valuesOf('will:')) {
      const { clientId, will } = value as { clientId: string; will: StoredWill };
      receiver.onWill(clientId, will);
    }
    for (const value of this.#valuesOf('retained:')) receiver.onRetained(value as Message);
    for (const [key, value] of this.#entriesOf('queue:')) receiver.onQueue?.(Number(key), value as Buffer);
    for (const { queue, chunk, bytes } of this.#storedChunks()) {
      this.#noteChunk(queue, chunk);
      receiver.onQueueChunk?.(queue, chunk, bytes);
    }
    for (const [name, value] of this.#entriesOf('note:')) receiver.onNote?.(name, value as Buffer);
    return 0;
  }

  #storedChunks(): { readonly queue: number; readonly chunk: number; readonly bytes: Buffer }[] {
    const chunks = this.#entriesOf('chunk:').map(([key, value]) => {
      const [queue, chunk] = key.split(':').map(Number) as [number, number];
      return { queue, chunk, bytes: value as Buffer };
    });
    return chunks.sort((a, b) => a.queue - b.queue || a.chunk - b.chunk);
  }

  #noteChunk(queue: number, chunk: number): void {
    const chunks = this.#chunks.get(queue);
    if (chunks === undefined) this.#chunks.set(queue, new Set([chunk]));
    else chunks.add(chunk);
  }

  #contribute(): void {
    for (const source of this.#urgent) this.#storeState(source);
    this.#urgent.clear();
    for (const source of this.#lazy) if (source.isWorthStoring) this.#storeState(source);
    this.log.contribute();
  }

  #storeState(source: StateSource): void {
    this.#lazy.delete(source);
    const bytes = source.encodeState();
    if (bytes !== null) this.committer.put(`state:${source.number}`, Buffer.from(bytes));
  }

  #entriesOf(prefix: string): [string, unknown][] {
    const { disk } = this.committer;
    return [...disk].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value]);
  }

  #valuesOf(prefix: string): unknown[] {
    return this.#entriesOf(prefix).map(([, value]) => value);
  }
}

function subscriptionKey(clientId: string, filter: string): string {
  return `subscription:${clientId}\0${filter}`;
}
