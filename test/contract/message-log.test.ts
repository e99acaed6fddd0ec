import { MessageLog } from '../../src/store/message-log.js';
import type { RecordOutline } from '../../src/store/message-record.js';
import { TestCounter } from '../support/delayed-store.js';
import { StandInBlockStore } from '../support/stand-in-block-store.js';
import { StandInCommitter, type StandInDisk } from '../support/stand-in-disk.js';
import { describeDurableMessageLog, describeMessageLog, type OpenLog } from './message-log.contract.js';

async function openInMemory(): Promise<OpenLog> {
  const log = new MessageLog(null, new TestCounter(), { cacheBytes: 0, onDamaged: () => {} });
  return { log, settledTicket: Number.MAX_SAFE_INTEGER, damaged: 0, commit: async () => log.contribute() };
}

class StandInLog implements OpenLog {
  readonly log: MessageLog;
  damaged = 0;
  readonly #committer: StandInCommitter;
  readonly #cacheBytes: number;

  constructor(disk: StandInDisk, lastSequence: number, cacheBytes: number) {
    this.#committer = new StandInCommitter(disk);
    this.#cacheBytes = cacheBytes;
    const options = { cacheBytes, onDamaged: (messages: number) => (this.damaged += messages) };
    this.log = new MessageLog(new StandInBlockStore(this.#committer), new TestCounter(lastSequence), options);
    this.#committer.contribute = () => this.log.contribute();
  }

  get settledTicket(): number {
    return this.#committer.settledTicket;
  }

  async commit(): Promise<void> {
    this.#committer.flush();
  }

  async reopen(referencesOf: (outline: Readonly<RecordOutline>) => number): Promise<OpenLog> {
    // As with numbers that are reserved in steps: a few are never used.
    const next = new StandInLog(this.#committer.disk, this.log.nextSequence + 100, this.#cacheBytes);
    await next.log.recover(referencesOf);
    return next;
  }
}

const openStandIn = async (cacheBytes: number): Promise<OpenLog> => new StandInLog(new Map(), 0, cacheBytes);

describeMessageLog('in memory', { open: openInMemory });
describeMessageLog('on a stand-in', { open: openStandIn });
describeDurableMessageLog('on a stand-in', { open: openStandIn });
