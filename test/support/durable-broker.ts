/**
 * A broker on a database in a directory of the test's own, which can be stopped, or cut off as by a crash, and started
 * again on what is left. All of its runs share one clock. The database is handed to the operating system and not synced:
 * these tests kill no machine.
 */

import { join } from 'node:path';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import type { AccessControl } from '../../src/auth/access/access-control.js';
import type { BrokerLimits } from '../../src/broker/broker-options.js';
import { NO_WORK_QUEUES, type WorkQueueSettings, WorkQueues } from '../../src/cli/work-queues.js';
import type { DurabilityLevel } from '../../src/core/durability.js';
import type { CommittedLevel } from '../../src/store/committed-level.js';
import { LevelStore } from '../../src/store/level-store.js';
import { copyAsAfterCrash } from './crash-copy.js';
import { FaultyLevel } from './faulty-level.js';
import { ManualClock } from './manual-clock.js';
import { createTemporaryDirectory } from './temporary-directory.js';
import { TestBroker } from './test-broker.js';
import { trustingAuthenticator } from './trusting-authenticator.js';

export interface DurableBrokerOptions {
  readonly limits?: Partial<BrokerLimits>;
  readonly access?: AccessControl;
  readonly durabilityOf?: (topic: string) => DurabilityLevel;
  readonly cacheBytes?: number;
  readonly maximumPendingBytes?: number;
  readonly minimumFreeBytes?: number;
  /** Made anew for each run. */
  readonly workQueues?: WorkQueueSettings;
}

/** A line of the log, as far as tests look at it. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export class DurableBroker {
  readonly test: TestBroker;
  readonly level: FaultyLevel;
  readonly store: LevelStore;
  readonly clock: ManualClock;
  /** Messages that the log has reported as lost, one number for each report. */
  readonly damages: number[];
  /** What the broker has logged from level info on. */
  readonly logged: readonly LogLine[];
  readonly workQueues: WorkQueues;
  readonly #options: DurableBrokerOptions;

  private constructor(
    test: TestBroker,
    level: FaultyLevel,
    store: LevelStore,
    damages: number[],
    logged: readonly LogLine[],
    options: DurableBrokerOptions,
    workQueues: WorkQueues,
  ) {
    this.workQueues = workQueues;
    this.test = test;
    this.level = level;
    this.store = store;
    this.clock = test.clock;
    this.damages = damages;
    this.logged = logged;
    this.#options = options;
  }

  static async start(options: DurableBrokerOptions = {}): Promise<DurableBroker> {
    return await DurableBroker.#startIn(join(await createTemporaryDirectory(), 'db'), new ManualClock(), options);
  }

  /** Stops the broker in order, lets time pass, and starts the next one. */
  async restart(downMs = 0, options: DurableBrokerOptions = {}): Promise<DurableBroker> {
    await this.broker.stop(Number.MAX_SAFE_INTEGER);
    this.clock.advance(downMs);
    return await DurableBroker.#startIn(this.level.location, this.clock, { ...this.#options, ...options });
  }

  /**
   * Starts another broker on what a crash would have left at this moment, after some time. This one goes on by itself.
   * @param damage changes the database on the way
   */
  async crash(downMs = 0, damage?: (level: CommittedLevel) => Promise<void>): Promise<DurableBroker> {
    const copy = join(await createTemporaryDirectory(), 'db');
    await copyAsAfterCrash(this.level.location, copy);
    if (damage !== undefined) await changeDatabase(copy, damage);
    this.clock.advance(downMs);
    return await DurableBroker.#startIn(copy, this.clock, this.#options);
  }

  get broker(): TestBroker['broker'] {
    return this.test.broker;
  }

  /** Everything recorded so far is on the disk. */
  async settle(): Promise<void> {
    await this.store.flush();
  }

  static async #startIn(location: string, clock: ManualClock, options: DurableBrokerOptions): Promise<DurableBroker> {
    const { maximumPendingBytes = 1 << 26, minimumFreeBytes = 0, cacheBytes = 1 << 20, limits = {} } = options;
    const level = new FaultyLevel(location, { clock, maximumPendingBytes, minimumFreeBytes, isSynced: false });
    await level.open();
    onTestFinished(() => level.close().catch(() => {}));
    const damages: number[] = [];
    const store = await LevelStore.open(level, {
      clock,
      cacheBytes,
      maximumPendingBytes,
      durability: 'fsync',
      durabilityOf: options.durabilityOf ?? (() => 'fsync'),
      onDamaged: (messages) => void damages.push(messages),
    });
    const logged: LogLine[] = [];
    const logger = pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
    const workQueues = new WorkQueues(store, clock, options.workQueues ?? NO_WORK_QUEUES);
    // Rules are for users, and there are none but by what clients say.
    const access = options.access === undefined ? {} : { access: options.access, authenticator: trustingAuthenticator };
    const test = await TestBroker.start({ clock, store, limits, logger, workQueues, ...access });
    return new DurableBroker(test, level, store, damages, logged, options, workQueues);
  }
}

async function changeDatabase(location: string, change: (level: CommittedLevel) => Promise<void>): Promise<void> {
  const level = new FaultyLevel(location, {
    clock: new ManualClock(),
    maximumPendingBytes: 1 << 26,
    minimumFreeBytes: 0,
    isSynced: false,
  });
  await level.open();
  await change(level);
  await level.close();
}
