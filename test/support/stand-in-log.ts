/** A message log on a stand-in disk, which a test commits, settles, damages and opens again. */
import { MessageLog } from '../../src/store/message-log.js';
import type { RecordOutline } from '../../src/store/message-record.js';
import type { QueueStates } from '../../src/store/stored-marks.js';
import { TestCounter } from './delayed-store.js';
import { StandInBlockStore } from './stand-in-block-store.js';
import { StandInCommitter, type StandInDisk } from './stand-in-disk.js';

export class StandInLog {
  readonly committer: StandInCommitter;
  readonly blocks: StandInBlockStore;
  readonly log: MessageLog;
  /** Messages that were reported as lost, one number for each report. */
  readonly damages: number[] = [];
  /** Messages of which it was reported that their marks are lost, one number for each report. */
  readonly marksDamages: number[] = [];
  /** What is to be tried again, a little later. */
  readonly laterCalls: (() => void)[] = [];
  readonly #cacheBytes: number;

  constructor(cacheBytes = 1 << 20, disk: StandInDisk = new Map(), lastSequence = 0) {
    this.committer = new StandInCommitter(disk);
    this.blocks = new StandInBlockStore(this.committer);
    this.#cacheBytes = cacheBytes;
    const onDamaged = (messages: number): void => void this.damages.push(messages);
    this.log = new MessageLog(this.blocks, new TestCounter(lastSequence), {
      cacheBytes,
      onDamaged,
      onMarksDamaged: (messages) => void this.marksDamages.push(messages),
      later: (callback) => void this.laterCalls.push(callback),
    });
    this.committer.contribute = () => this.log.contribute();
  }

  get settledTicket(): number {
    return this.committer.settledTicket;
  }

  get damaged(): number {
    return this.damages.reduce((sum, messages) => sum + messages, 0);
  }

  get marksDamaged(): number {
    return this.marksDamages.reduce((sum, messages) => sum + messages, 0);
  }

  /** Writes and settles everything. */
  async commit(): Promise<void> {
    this.committer.flush();
  }

  /** The log of the next process: what was not settled is gone. */
  async reopen(
    referencesOf: (outline: Readonly<RecordOutline>) => number = () => 1,
    states: QueueStates | null = null,
  ): Promise<StandInLog> {
    // As with numbers that are reserved in steps: a few are never used.
    const next = new StandInLog(this.#cacheBytes, this.committer.disk, this.log.nextSequence + 100);
    if (states !== null) next.log.setQueueStates(states);
    await next.log.recover(referencesOf);
    return next;
  }
}
