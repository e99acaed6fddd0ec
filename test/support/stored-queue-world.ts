/** A registry of queues in a store, without a broker: what a test puts in goes through real commits. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Delivery } from '../../src/queues/delivery.js';
import type { EnqueueOptions, EnqueueOutcome } from '../../src/queues/intake.js';
import type { Queue } from '../../src/queues/queue.js';
import type { QueueOptions } from '../../src/queues/queue-options.js';
import { QueueRegistry } from '../../src/queues/queue-registry.js';
import type { ReceiveOptions } from '../../src/queues/receive.js';
import { StoredQueueLog } from '../../src/queues/stored-queue-log.js';
import { LevelStore } from '../../src/store/level-store.js';
import { MemoryStore } from '../../src/store/memory-store.js';
import type { Store } from '../../src/store/store.js';
import { copyAsAfterCrash } from './crash-copy.js';
import { FaultyLevel } from './faulty-level.js';
import { ManualClock } from './manual-clock.js';
import { messageOf } from './queue-world.js';
import { createTemporaryDirectory } from './temporary-directory.js';

const NO_SESSIONS = { onSession() {}, onState() {}, onSubscription() {}, onWill() {}, onRetained() {} };

/** Of what is random: another one for each that is asked for, also in a world that follows a crash. */
let seed = 0;

export interface StoredWorldOptions {
  /** Of messages; 1 byte keeps nothing that is not being written. */
  readonly cacheBytes?: number;
}

export class StoredQueueWorld {
  readonly registry: QueueRegistry;
  readonly log: StoredQueueLog;
  readonly notices: string[] = [];
  readonly store: Store;
  readonly clock: ManualClock;

  protected constructor(store: Store, clock: ManualClock) {
    this.store = store;
    this.clock = clock;
    this.log = new StoredQueueLog(store, clock);
    this.registry = new QueueRegistry(this.log, this.log.clock, (count) => Buffer.alloc(count, `${++seed}.`));
    this.log.connect(this.registry);
    store.journal.onSettled(() => this.log.onSettled());
  }

  /** In memory. */
  static async start(clock = new ManualClock()): Promise<StoredQueueWorld> {
    const world = new StoredQueueWorld(new MemoryStore(), clock);
    await world.restore();
    return world;
  }

  protected async restore(): Promise<void> {
    const { store, log } = this;
    await store.load({
      ...NO_SESSIONS,
      onQueue: (number, bytes) => log.onQueue(number, bytes),
      onQueueChunk: (queue, chunk, bytes) => log.onQueueChunk(queue, chunk, bytes),
    });
    await store.log.recover((record) => log.referencesTo(record));
    log.onRestored();
    onTestFinished(() => this.registry.stop());
  }

  queue(name: string, options: Partial<QueueOptions> = {}): Queue {
    return this.registry.find(name) ?? this.registry.ensure(name, options);
  }

  enqueue(queue: Queue, payload: string, options: EnqueueOptions = {}): EnqueueOutcome {
    return this.registry.enqueue(messageOf(payload), [{ queue, options }])[0] as EnqueueOutcome;
  }

  /** Receives what is there; resolves when the attempts are on disk. */
  async take(queue: Queue, max = 10, options: Partial<ReceiveOptions> = {}): Promise<readonly Delivery[]> {
    return await new Promise((resolve) => {
      queue.receive({ ...options, max }, { onReceived: resolve });
    });
  }

  async commit(): Promise<void> {
    await this.store.journal.flush();
  }
}

export class LevelQueueWorld extends StoredQueueWorld {
  readonly #level: FaultyLevel;
  readonly #options: StoredWorldOptions;

  private constructor(level: FaultyLevel, store: Store, clock: ManualClock, options: StoredWorldOptions) {
    super(store, clock);
    this.#level = level;
    this.#options = options;
  }

  static async open(options: StoredWorldOptions = {}): Promise<LevelQueueWorld> {
    return await LevelQueueWorld.#openIn(join(await createTemporaryDirectory(), 'db'), new ManualClock(), options);
  }

  /** What a crash would have left at this moment, started again. */
  async crash(downMs = 0): Promise<LevelQueueWorld> {
    const copy = join(await createTemporaryDirectory(), 'db');
    await copyAsAfterCrash(this.#level.location, copy);
    this.registry.stop();
    this.clock.advance(downMs);
    return await LevelQueueWorld.#openIn(copy, this.clock, this.#options);
  }

  /** Stopped and started again. */
  async restart(downMs = 0): Promise<LevelQueueWorld> {
    this.registry.stop();
    await this.store.close();
    this.clock.advance(downMs);
    return await LevelQueueWorld.#openIn(this.#level.location, this.clock, this.#options);
  }

  static async #openIn(location: string, clock: ManualClock, options: StoredWorldOptions): Promise<LevelQueueWorld> {
    const level = new FaultyLevel(location, {
      clock,
      maximumPendingBytes: 1 << 26,
      minimumFreeBytes: 0,
      isSynced: false,
    });
    await level.open();
    onTestFinished(() => level.close().catch(() => {}));
    const notices: string[] = [];
    const store = await LevelStore.open(level, {
      clock,
      cacheBytes: options.cacheBytes ?? 1 << 20,
      maximumPendingBytes: 1 << 26,
      durability: 'fsync',
      durabilityOf: () => 'fsync',
      onDamaged: () => {},
      onNotice: (sentence) => void notices.push(sentence),
    });
    const world = new LevelQueueWorld(level, store, clock, options);
    await world.restore();
    world.notices.push(...notices);
    return world;
  }
}
