/**
 * The `level` package's class with the half that its types leave out: what abstract-level calls the private API, which
 * subclasses are meant to override and to call through `super`. Types only; at run time this is `Level` itself.
 */
import type { AbstractIterator, AbstractResource, AbstractSnapshot } from 'abstract-level';
import { Level } from 'level';

/** A key or value as the private API passes it: encoded already. */
export type Encoded = string | Uint8Array;

/** A LevelDB WriteBatch. Copies what it is given. May be cleared and used again, also after a close and an open. */
export interface NativeBatch {
  _put(key: Encoded, value: Encoded): void;
  _del(key: Encoded): void;
  _clear(): void;
  _write(options: { readonly sync: boolean }): Promise<void>;
}

export interface WriteOptions {
  /** `false` where the write may be lost with the machine's power; synced otherwise. */
  readonly sync?: boolean | undefined;
}

export interface ReadOptions {
  readonly snapshot?: AbstractSnapshot | undefined;
  readonly fillCache?: boolean | undefined;
}

export interface BatchOperation {
  readonly type: 'put' | 'del';
  readonly key: Encoded;
  readonly value?: Encoded;
}

export interface RangeOptions {
  readonly gte?: string;
  readonly lt?: string;
}

export interface ClearOptions extends ReadOptions {
  readonly keyEncoding: string;
}

export interface OpenOptions {
  readonly createIfMissing?: boolean;
  readonly errorIfExists?: boolean;
  /** Bytes of uncompressed blocks that LevelDB keeps in memory. */
  readonly cacheSize?: number;
}

export interface NativeLevel extends Omit<Level<string, Buffer>, 'open' | 'close' | 'get' | 'getMany'> {
  open(options?: OpenOptions): Promise<void>;
  close(): Promise<void>;
  get(key: string, options?: ReadOptions): Promise<Buffer | undefined>;
  getMany(keys: readonly string[], options?: ReadOptions): Promise<(Buffer | undefined)[]>;
  getSync(key: string, options?: ReadOptions): Buffer | undefined;
  attachResource(resource: AbstractResource): void;
  detachResource(resource: AbstractResource): void;

  /** Gives the room of what has been removed between the keys back, in a thread of its own. */
  compactRange(start: string, end: string): Promise<void>;
  _open(options: OpenOptions): Promise<void>;
  _close(): Promise<void>;
  _get(key: Encoded, options: ReadOptions): Promise<Encoded | undefined>;
  _getSync(key: Encoded, options: ReadOptions): Encoded | undefined;
  _getMany(keys: readonly Encoded[], options: ReadOptions): Promise<(Encoded | undefined)[]>;
  _has(key: Encoded, options: ReadOptions): Promise<boolean>;
  _hasMany(keys: readonly Encoded[], options: ReadOptions): Promise<boolean[]>;
  _put(key: Encoded, value: Encoded, options: WriteOptions): Promise<void>;
  _del(key: Encoded, options: WriteOptions): Promise<void>;
  _batch(operations: readonly BatchOperation[], options: WriteOptions): Promise<void>;
  _chainedBatch(): unknown;
  _clear(options: ClearOptions): Promise<void>;
  _iterator(options: ReadOptions): AbstractIterator<unknown, string, Buffer>;
  _snapshot(options: object): AbstractSnapshot;
}

export const NativeLevel = Level as unknown as {
  new (
    location: string,
    options: OpenOptions & { readonly keyEncoding: 'utf8'; readonly valueEncoding: 'buffer' },
  ): NativeLevel;
  /** Makes of a closed database what can be opened, from what can be read of it. */
  repair(location: string): Promise<void>;
};
