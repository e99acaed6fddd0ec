import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { CommittedLevel } from '../../src/store/committed-level.js';
import { LevelStore } from '../../src/store/level-store.js';
import type { RecordOutline } from '../../src/store/message-record.js';
import type { QueueStates } from '../../src/store/stored-marks.js';
import { copyAsAfterCrash } from '../support/crash-copy.js';
import { ManualClock } from '../support/manual-clock.js';
import { createTemporaryDirectory } from '../support/temporary-directory.js';
import { describeDurableJournal, describeJournal } from './journal.contract.js';
import { describeDurableMessageLog, describeMessageLog, type OpenLog } from './message-log.contract.js';
import { describeDurableQueuesOfMessageLog, describeQueuesOfMessageLog } from './message-log-queues.contract.js';

/** The database is written to the operating system only: these tests kill no machine. */
class LevelLog implements OpenLog {
  readonly store: LevelStore;
  damaged: number;
  readonly #level: CommittedLevel;
  readonly #location: string;
  readonly #cacheBytes: number;

  private constructor(level: CommittedLevel, store: LevelStore, location: string, cacheBytes: number) {
    this.#level = level;
    this.store = store;
    this.#location = location;
    this.#cacheBytes = cacheBytes;
    this.damaged = 0;
  }

  static async open(location: string, cacheBytes: number): Promise<LevelLog> {
    const clock = new ManualClock();
    const level = new CommittedLevel(location, {
      clock,
      maximumPendingBytes: 1 << 26,
      minimumFreeBytes: 0,
      isSynced: false,
    });
    await level.open();
    onTestFinished(() => level.close());
    let onDamaged: (messages: number) => void = () => {};
    const store = await LevelStore.open(level, {
      clock,
      cacheBytes,
      maximumPendingBytes: 1 << 26,
      durability: 'fsync',
      durabilityOf: () => 'fsync',
      onDamaged: (messages) => onDamaged(messages),
    });
    const opened = new LevelLog(level, store, location, cacheBytes);
    onDamaged = (messages) => {
      opened.damaged += messages;
    };
    return opened;
  }

  get log() {
    return this.store.log;
  }

  get settledTicket(): number {
    return this.store.settledTicket;
  }

  async commit(): Promise<void> {
    await this.store.flush();
  }

  async reopen(
    referencesOf: (outline: Readonly<RecordOutline>) => number,
    states: QueueStates | null = null,
  ): Promise<OpenLog> {
    const next = await this.openCopy();
    if (states !== null) next.log.setQueueStates(states);
    await this.#level.close();
    await next.log.recover(referencesOf);
    return next;
  }

  /** What the process after a crash opens; nothing is recovered yet. */
  async openCopy(): Promise<LevelLog> {
    const copy = `${this.#location}+`;
    await rm(copy, { recursive: true, force: true });
    await copyAsAfterCrash(this.#location, copy);
    return await LevelLog.open(copy, this.#cacheBytes);
  }

  async loadAfterCrash(): Promise<string[]> {
    const next = await this.openCopy();
    const records: string[] = [];
    await next.store.load({
      onSession: ({ clientId, number }) => records.push(`session ${clientId} ${number}`),
      onState: (number, bytes) => records.push(`state ${number} ${bytes.toString('hex')}`),
      onSubscription: (clientId, { filter }) => records.push(`subscription ${clientId} ${filter}`),
      onWill: (clientId, { message }) => records.push(`will ${clientId} ${message.topic}`),
      onRetained: ({ topic }) => records.push(`retained ${topic}`),
      onQueue: (number, bytes) => records.push(`queue ${number} ${bytes.toString('hex')}`),
      onQueueChunk: (queue, chunk, bytes) => records.push(`chunk ${queue} ${chunk} ${bytes.toString('hex')}`),
      onNote: (name, bytes) => records.push(`note ${name} ${bytes.toString('hex')}`),
    });
    await next.store.close();
    return records;
  }
}

async function openLevel(cacheBytes: number): Promise<LevelLog> {
  return await LevelLog.open(join(await createTemporaryDirectory(), 'db'), cacheBytes);
}

describeMessageLog('in a database', { open: openLevel });
describeDurableMessageLog('in a database', { open: openLevel });
describeQueuesOfMessageLog('in a database', { open: openLevel });
describeDurableQueuesOfMessageLog('in a database', { open: openLevel });
describeJournal('in a database', { open: async () => (await openLevel(1 << 20)).store });
describeDurableJournal('in a database', {
  open: async () => {
    const opened = await openLevel(1 << 20);
    return { journal: opened.store, loadAfterCrash: () => opened.loadAfterCrash() };
  },
});
