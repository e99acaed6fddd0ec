/**
 * The one database of a data directory, with one committer: whatever is written, by the package's own verbs or by the
 * fast ones here, goes into the open group at once and is on disk when the group's ticket is settled. Promises of the
 * package's verbs resolve then. Reads see what is settled, and what is being written; never the open group.
 *
 * After a write that failed the database is opened again (see ReopenableLevel) and the same group is written again,
 * every second until it works. What users record meanwhile joins the open group.
 */
import { statfs } from 'node:fs/promises';
import type { Clock } from '../core/clock.js';
import type { CommitGroup } from './commit-group.js';
import { FreeSpaceWatch } from './free-space-watch.js';
import { type CommitContributor, GroupCommitter } from './group-committer.js';
import { JoinedBatch } from './joined-batch.js';
import { LogRoom } from './log-room.js';
import type { BatchOperation, ClearOptions, Encoded, NativeBatch, OpenOptions, WriteOptions } from './native-level.js';
import { ReopenableLevel } from './reopenable-level.js';
import { type StoreHealth, StoreHealthMonitor } from './store-health.js';
import type { Ticket } from './ticket.js';

export interface CommittedLevelOptions {
  readonly clock: Clock;
  /** Above this many bytes that are not settled, `isCongested` asks writers to stop. */
  readonly maximumPendingBytes: number;
  /** Below this much free space the health is `full`. 0: never looked at. */
  readonly minimumFreeBytes: number;
  /** False: writes are handed to the operating system and never synced. True unless told. */
  readonly isSynced?: boolean | undefined;
  /** LevelDB's cache of uncompressed blocks; 8 MB unless told. */
  readonly blockCacheBytes?: number | undefined;
}

export class CommittedLevel extends ReopenableLevel {
  readonly #clock: Clock;
  readonly #maximumPendingBytes: number;
  readonly #health: StoreHealthMonitor;
  readonly #committer: GroupCommitter;
  readonly #freeSpace: FreeSpaceWatch | null;
  readonly #isSynced: boolean;
  /** Null where nothing is synced, and on systems on which nobody has measured that room helps. */
  readonly #logRoom: LogRoom | null;
  #closeError: unknown = null;

  constructor(location: string, options: CommittedLevelOptions) {
    const cacheSize = options.blockCacheBytes;
    super(location, {
      keyEncoding: 'utf8',
      valueEncoding: 'buffer',
      ...(cacheSize === undefined ? {} : { cacheSize }),
    });
    this.#clock = options.clock;
    this.#maximumPendingBytes = options.maximumPendingBytes;
    this.#isSynced = options.isSynced !== false;
    this.#logRoom =
      this.#isSynced && process.platform === 'linux'
        ? new LogRoom(location, () => this.#health.health.state === 'ok')
        : null;
    this.#health = new StoreHealthMonitor(options.minimumFreeBytes);
    this.#committer = new GroupCommitter(
      {
        createBatch: () => super._chainedBatch() as NativeBatch,
        writeGroup: (group) => this.#writeGroup(group),
        recover: async (bytes) => {
          await this.#logRoom?.release();
          await this.reopen(bytes);
        },
      },
      options.clock,
      this.#health,
    );
    const noteFreeSpace = (freeBytes: number) => this.#health.noteFreeSpace(freeBytes, this.#clock.now());
    this.#freeSpace =
      options.minimumFreeBytes === 0
        ? null
        : new FreeSpaceWatch(options.clock, () => this.findFreeBytes(), noteFreeSpace, options.minimumFreeBytes / 16);
    this.#health.onChanged(({ state }) => {
      if (state === 'failing') void this.#freeSpace?.look();
    });
  }

  /** Adds a write to the open group. Key and value are copied. */
  putNow(key: string, value: Buffer, isSynced = true): Ticket {
    return this.#committer.put(key, value, isSynced);
  }

  /** Adds a removal to the open group. */
  delNow(key: string, isSynced = true): Ticket {
    return this.#committer.del(key, isSynced);
  }

  /** Has the open group written: the contributor will add to it when it closes. */
  requireCommit(isSynced = true): Ticket {
    return this.#committer.require(isSynced);
  }

  /** The group that is being filled. Groups are numbered from 1. */
  get openTicket(): Ticket {
    return this.#committer.openTicket;
  }

  /** The last group that is on disk, and all before it. */
  get settledTicket(): Ticket {
    return this.#committer.settledTicket;
  }

  /** Bytes of keys and values that are not settled. */
  get pendingBytes(): number {
    return this.#committer.pendingBytes;
  }

  /** A group is being written, or waits for its turn. */
  get isCommitting(): boolean {
    return this.#committer.isCommitting;
  }

  /** Whether writers should wait until less is pending. Nothing is refused. */
  get isCongested(): boolean {
    return this.#committer.pendingBytes > this.#maximumPendingBytes;
  }

  get health(): StoreHealth {
    return this.#health.health;
  }

  /** Calls `listener` each time the health's state has changed. */
  onHealthChanged(listener: (health: StoreHealth) => void): void {
    this.#health.onChanged(listener);
  }

  /** Calls `listener` each time {@link settledTicket} has grown. */
  onSettled(listener: () => void): void {
    this.#committer.onSettled(listener);
  }

  /** The one that is asked just before a group is closed; what it writes then joins that group. */
  setContributor(contributor: CommitContributor): void {
    this.#committer.setContributor(contributor);
  }

  /**
   * Resolves when everything recorded so far is settled.
   * @throws StoreNotSettled if the store is closed before it could be; StoreClosed if it was closed already
   */
  flush(): Promise<void> {
    return this.#committer.flush();
  }

  /**
   * Settles what is pending and closes. While writes fail it tries once more.
   * @throws StoreNotSettled if that fails too; the database is closed all the same
   */
  override async close(): Promise<void> {
    await super.close();
    if (this.#closeError !== null) throw this.#closeError;
  }

  /** Writes one group. Overridden by tests to delay it or to let it fail. */
  protected writeBatch(batch: NativeBatch, isSynced: boolean): Promise<void> {
    return batch._write({ sync: isSynced });
  }

  /** Free space where the database is. Overridden by tests. */
  protected async findFreeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.location);
    return bavail * bsize;
  }

  #writeGroup(group: CommitGroup): Promise<void> {
    const isSynced = this.#isSynced && group.isSynced;
    this.#freeSpace?.onWritten(group.bytes);
    const room = this.#logRoom?.onWrite(group.batchBytes, isSynced) ?? null;
    if (room === null) return this.writeBatch(group.batch, isSynced);
    return room.then(() => this.writeBatch(group.batch, isSynced));
  }

  override async _open(options: OpenOptions): Promise<void> {
    this.#committer.assertNotClosed();
    await super._open(options);
    this.#committer.start();
    await this.#freeSpace?.start();
  }

  override async _close(): Promise<void> {
    this.#freeSpace?.stop();
    try {
      await this.#committer.close();
    } catch (error) {
      this.#closeError = error;
    }
    await this.#logRoom?.release();
    await super._close();
  }

  override _put(key: Encoded, value: Encoded, options: WriteOptions): Promise<void> {
    this.#committer.put(key, value, options.sync !== false);
    return this.#committer.openSettled;
  }

  override _del(key: Encoded, options: WriteOptions): Promise<void> {
    this.#committer.del(key, options.sync !== false);
    return this.#committer.openSettled;
  }

  override _batch(operations: readonly BatchOperation[], options: WriteOptions): Promise<void> {
    const isSynced = options.sync !== false;
    for (const { type, key, value } of operations) {
      if (type === 'put' && value !== undefined) this.#committer.put(key, value, isSynced);
      else this.#committer.del(key, isSynced);
    }
    return this.#committer.openSettled;
  }

  override _chainedBatch(): JoinedBatch {
    return new JoinedBatch(this as never, (operations, options) => this._batch(operations, options));
  }

  /**
   * Deletes what was in the range when it was called, in one group. What is written there while it runs may be deleted
   * or not.
   */
  override async _clear(options: ClearOptions): Promise<void> {
    await this.flush();
    const keys = await this.keys(options).all();
    if (keys.length === 0) return;
    await this._batch(
      keys.map((key) => ({ type: 'del', key })),
      {},
    );
  }
}
