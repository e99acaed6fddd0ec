/** Queues in a database that is cut off in the middle of what it does. */
import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import type { EnqueueOptions, EnqueueOutcome } from '../../src/queues/intake.js';
import type { Queue } from '../../src/queues/queue.js';
import type { QueueOptions } from '../../src/queues/queue-options.js';
import { QueueRegistry } from '../../src/queues/queue-registry.js';
import { LevelStore } from '../../src/store/level-store.js';
import type { Ticket } from '../../src/store/ticket.js';
import { AccountedQueueLog } from './accounted-queue-log.js';
import { copyAsAfterCrash } from './crash-copy.js';
import { ManualClock } from './manual-clock.js';
import { messageOf } from './queue-world.js';
import { SteppedLevel } from './stepped-level.js';
import type { CrashEnd, SteppedQueues } from './stepped-queues.js';

const NO_SESSIONS = { onSession() {}, onState() {}, onSubscription() {}, onWill() {}, onRetained() {} };
const PENDING_BYTES = 2 ** 26;

/** One process, from its start to its end. */
interface Life {
  readonly level: SteppedLevel;
  readonly store: LevelStore;
  readonly log: AccountedQueueLog;
  readonly registry: QueueRegistry;
  /** It is dead, and hears no more of what the disk does. */
  isOver: boolean;
}

export class LevelSteppedQueues implements SteppedQueues {
  readonly clock: ManualClock;
  readonly #directory: string;
  readonly #cacheBytes: number;
  #life: Life;
  #lives = 1;

  private constructor(directory: string, cacheBytes: number, life: Life, clock: ManualClock) {
    this.#directory = directory;
    this.#cacheBytes = cacheBytes;
    this.#life = life;
    this.clock = clock;
  }

  /** @param cacheBytes of messages; 1 keeps nothing that can be read back */
  static async open(cacheBytes: number): Promise<LevelSteppedQueues> {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-'));
    const clock = new ManualClock();
    const life = await startLife(join(directory, '1'), cacheBytes, clock, 1);
    return new LevelSteppedQueues(directory, cacheBytes, life, clock);
  }

  get registry(): QueueRegistry {
    return this.#life.registry;
  }

  get settledTicket(): Ticket {
    return this.#life.store.settledTicket;
  }

  get messages(): number {
    return this.#life.store.log.messages;
  }

  idsOf(queue: number): Set<string> {
    return this.#life.log.idsOf(queue);
  }

  idOf(sequence: number): string | null {
    return this.#life.log.idOf(sequence);
  }

  ensure(name: string, options: Partial<QueueOptions> = {}): Queue {
    return this.registry.ensure(name, options);
  }

  enqueue(queue: Queue, payload: string, options: EnqueueOptions): EnqueueOutcome {
    return this.registry.enqueue(messageOf(payload), [{ queue, options }])[0] as EnqueueOutcome;
  }

  async close(): Promise<void> {
    await turnOfTheLoop();
  }

  async settle(): Promise<void> {
    await this.#life.level.write();
  }

  async commit(): Promise<void> {
    const { level, store } = this.#life;
    const flushed = store.flush().then(() => true);
    while (!(await Promise.race([flushed, turnOfTheLoop(false)]))) await level.write();
  }

  /** What it does not keep is cold by itself. */
  cool(): void {}

  async load(): Promise<void> {
    await this.#life.level.read();
  }

  async crash(end: CrashEnd, downMs: number): Promise<void> {
    const { level, store, registry } = this.#life;
    registry.stop();
    this.#life.isOver = true;
    const next = join(this.#directory, `${++this.#lives}`);
    if (end === 'stopped') {
      await level.endSteps();
      await store.close();
      await copyAsAfterCrash(level.location, next);
    } else {
      const before = await lastLogOf(level.location);
      if (end !== 'lost') await level.write();
      await copyAsAfterCrash(level.location, next);
      if (end === 'torn') await tear(next, before);
    }
    await this.#bury();
    this.clock.advance(downMs);
    this.#life = await startLife(next, this.#cacheBytes, this.clock, this.#lives);
  }

  async dispose(): Promise<void> {
    this.#life.registry.stop();
    this.#life.isOver = true;
    await this.#bury();
    await rm(this.#directory, { recursive: true });
  }

  async #bury(): Promise<void> {
    const { level, store } = this.#life;
    await level.abandon();
    if (level.status === 'open') await store.close();
    await rm(level.location, { recursive: true });
  }
}

async function startLife(location: string, cacheBytes: number, clock: ManualClock, seed: number): Promise<Life> {
  const level = new SteppedLevel(location, {
    clock,
    maximumPendingBytes: PENDING_BYTES,
    minimumFreeBytes: 0,
    isSynced: false,
  });
  await level.open();
  const store = await LevelStore.open(level, {
    clock,
    cacheBytes,
    maximumPendingBytes: PENDING_BYTES,
    durability: 'fsync',
    durabilityOf: () => 'fsync',
    onDamaged: (messages) => {
      throw new RangeError(`${messages} messages are damaged`);
    },
  });
  const log = new AccountedQueueLog(store, clock);
  const registry = new QueueRegistry(log, log.clock, (count) => Buffer.alloc(count, `${seed}.`));
  log.connect(registry);
  const life = { level, store, log, registry, isOver: false };
  store.onSettled(() => {
    if (!life.isOver) log.onSettled();
  });
  await store.load({
    ...NO_SESSIONS,
    onQueue: (number, bytes) => log.onQueue(number, bytes),
    onQueueChunk: (queue, chunk, bytes) => log.onQueueChunk(queue, chunk, bytes),
  });
  await store.log.recover((record) => log.referencesTo(record));
  level.beginSteps();
  log.onRestored();
  return life;
}

/** LevelDB's own log: where each write goes first. */
async function lastLogOf(location: string): Promise<{ name: string; bytes: number }> {
  const names = (await readdir(location)).filter((file) => file.endsWith('.log')).sort();
  const name = names.at(-1) ?? '';
  return { name, bytes: name === '' ? 0 : (await stat(join(location, name))).size };
}

/** Cuts off half of what was written last. @param before where it began */
async function tear(location: string, before: { name: string; bytes: number }): Promise<void> {
  const after = await lastLogOf(location);
  if (after.name !== before.name) return;
  await truncate(join(location, after.name), Math.floor((before.bytes + after.bytes) / 2));
}
