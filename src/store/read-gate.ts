/**
 * Keeps readers away from the native database while it is closed to be opened again, where a read would touch freed
 * memory. Single reads wait; iterators and snapshots that are open at that moment are closed, and their next call fails.
 */
import { StoreClosed, StoreUnavailable } from '../core/errors.js';

/** An iterator or a snapshot. */
export interface Reader {
  close(): Promise<void>;
}

interface Barrier {
  readonly lifted: Promise<void>;
  readonly lift: () => void;
}

export class ReadGate {
  readonly #readers = new Set<Reader>();
  #barrier: Barrier | null = null;
  #isEnded = false;

  get isOpen(): boolean {
    return this.#barrier === null;
  }

  add(reader: Reader): void {
    this.#readers.add(reader);
  }

  delete(reader: Reader): void {
    this.#readers.delete(reader);
  }

  /** @throws StoreClosed if it never will be open again */
  async untilOpen(): Promise<void> {
    while (this.#barrier !== null) await this.#barrier.lifted;
    if (this.#isEnded) throw new StoreClosed('The store is closed');
  }

  /** For what cannot wait. @throws StoreUnavailable */
  assertOpen(): void {
    if (this.#barrier !== null) throw new StoreUnavailable('The store is being opened again after a failed write');
  }

  /** Lets nobody in from now on; resolves when nobody is inside. */
  async close(): Promise<void> {
    this.#barrier ??= createBarrier();
    await Promise.all([...this.#readers].map((reader) => reader.close()));
  }

  open(): void {
    this.#barrier?.lift();
    this.#barrier = null;
  }

  /** Sends away who waits, for good. */
  end(): void {
    this.#isEnded = true;
    this.open();
  }
}

function createBarrier(): Barrier {
  let lift: () => void = () => {};
  const lifted = new Promise<void>((resolve) => {
    lift = resolve;
  });
  return { lifted, lift };
}
