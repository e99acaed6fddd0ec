/**
 * A database that can be closed and opened again below its users, who keep their object and its status `open`.
 * LevelDB needs that after a write that failed: it would go on behind a torn record in its log, which hides everything
 * later at the next start.
 *
 * While it is not open `get` and `has` wait, and iterators are not to be had: open ones are closed, new ones and
 * `getSync` throw StoreUnavailable.
 */
import {
  AbstractChainedBatch,
  type AbstractIterator,
  type AbstractResource,
  type AbstractSnapshot,
} from 'abstract-level';
import { type Encoded, NativeLevel, type OpenOptions, type ReadOptions } from './native-level.js';
import { ReadGate } from './read-gate.js';
import { syncDirectory } from './sync-directory.js';
import { probeWrites } from './write-probe.js';

export class ReopenableLevel extends NativeLevel {
  readonly #gate = new ReadGate();
  #openOptions: OpenOptions = {};

  override async _open(options: OpenOptions): Promise<void> {
    await super._open(options);
    // LevelDB renames its CURRENT at the end and leaves it at that: power lost now would bring the former one back,
    // which in a new database names a file that has never been synced.
    await syncDirectory(this.location);
    // To open again must never create: files that have vanished are a failure, not an empty store.
    this.#openOptions = { ...options, createIfMissing: false, errorIfExists: false };
  }

  override async _close(): Promise<void> {
    // Who waits to read is sent away; nobody comes any more, since the package's verbs refuse by now.
    this.#gate.end();
    await super._close();
  }

  /**
   * Closes and opens the database, once the disk takes writes; as long as it does not, everything can be read.
   * May be called again after it has thrown.
   * @param groupBytes what is to be written then
   * @throws what the disk or LevelDB says
   */
  protected async reopen(groupBytes: number): Promise<void> {
    if (this.#gate.isOpen) await probeWrites(this.location, groupBytes);
    await this.#gate.close();
    await super._close();
    await super._open(this.#openOptions);
    await syncDirectory(this.location);
    this.#gate.open();
  }

  override async _get(key: Encoded, options: ReadOptions): Promise<Encoded | undefined> {
    if (!this.#gate.isOpen) await this.#untilReadable(options);
    return super._get(key, options);
  }

  override async _getMany(keys: readonly Encoded[], options: ReadOptions): Promise<(Encoded | undefined)[]> {
    if (!this.#gate.isOpen) await this.#untilReadable(options);
    return super._getMany(keys, options);
  }

  override async _has(key: Encoded, options: ReadOptions): Promise<boolean> {
    if (!this.#gate.isOpen) await this.#untilReadable(options);
    return super._has(key, options);
  }

  override async _hasMany(keys: readonly Encoded[], options: ReadOptions): Promise<boolean[]> {
    if (!this.#gate.isOpen) await this.#untilReadable(options);
    return super._hasMany(keys, options);
  }

  override _getSync(key: Encoded, options: ReadOptions): Encoded | undefined {
    this.#gate.assertOpen();
    return super._getSync(key, options);
  }

  override _iterator(options: ReadOptions): AbstractIterator<unknown, string, Buffer> {
    this.#gate.assertOpen();
    return super._iterator(options);
  }

  override _snapshot(options: object): AbstractSnapshot {
    this.#gate.assertOpen();
    return super._snapshot(options);
  }

  override attachResource(resource: AbstractResource): void {
    super.attachResource(resource);
    if (!(resource instanceof AbstractChainedBatch)) this.#gate.add(resource);
  }

  override detachResource(resource: AbstractResource): void {
    super.detachResource(resource);
    this.#gate.delete(resource);
  }

  /** A snapshot does not outlive the database, so that a read of one would wait for what waits for it. */
  #untilReadable(options: ReadOptions): Promise<void> {
    if (options.snapshot !== undefined) this.#gate.assertOpen();
    return this.#gate.untilOpen();
  }
}
