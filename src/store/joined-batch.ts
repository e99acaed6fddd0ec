/** What `batch()` without arguments gives: collects operations and hands them over together when it is written. */
import { AbstractChainedBatch, type AbstractLevel } from 'abstract-level';
import type { BatchOperation, Encoded, WriteOptions } from './native-level.js';

type Database = AbstractLevel<string | Buffer | Uint8Array, string, Buffer>;

export class JoinedBatch extends AbstractChainedBatch<Database, string, Buffer> {
  readonly #commit: (operations: readonly BatchOperation[], options: WriteOptions) => Promise<void>;
  #operations: BatchOperation[] = [];

  constructor(
    database: Database,
    commit: (operations: readonly BatchOperation[], options: WriteOptions) => Promise<void>,
  ) {
    super(database);
    this.#commit = commit;
  }

  _put(key: Encoded, value: Encoded): void {
    this.#operations.push({ type: 'put', key, value });
  }

  _del(key: Encoded): void {
    this.#operations.push({ type: 'del', key });
  }

  _clear(): void {
    this.#operations = [];
  }

  _write(options: WriteOptions): Promise<void> {
    return this.#commit(this.#operations, options);
  }
}
