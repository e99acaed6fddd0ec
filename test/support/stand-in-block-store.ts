/** A BlockStore on a {@link StandInCommitter}. Like the real one it never looks below its low-water mark again. */
import type { BlockStore } from '../../src/store/block-store.js';
import type { Ticket } from '../../src/store/ticket.js';
import type { StandInCommitter } from './stand-in-disk.js';

const PREFIX = 'log:';
const LOW_WATER = 'meta:low-water';

export class StandInBlockStore implements BlockStore {
  /** Blocks that were written so far, in order. */
  readonly writes: { readonly number: number; readonly bytes: number; readonly isSynced: boolean }[] = [];
  readonly drops: number[] = [];
  reads = 0;
  readonly #committer: StandInCommitter;
  #heldReads: (() => void)[] | null = null;

  constructor(committer: StandInCommitter) {
    this.#committer = committer;
  }

  get settledTicket(): Ticket {
    return this.#committer.settledTicket;
  }

  /** Numbers of the blocks that are on the disk. */
  get stored(): number[] {
    return [...this.#committer.disk.keys()].filter((key) => key.startsWith(PREFIX)).map(numberOf);
  }

  requireCommit(): Ticket {
    return this.#committer.require();
  }

  write(number: number, value: Buffer, isSynced: boolean): Ticket {
    this.writes.push({ number, bytes: value.length, isSynced });
    return this.#committer.put(keyOf(number), Buffer.from(value));
  }

  drop(number: number, _bytes: number, lowest: number): void {
    this.drops.push(number);
    this.#committer.remove(keyOf(number));
    this.#committer.put(LOW_WATER, lowest);
  }

  async read(number: number): Promise<Buffer | undefined> {
    this.reads++;
    if (this.#heldReads !== null) await new Promise<void>((resolve) => this.#heldReads?.push(resolve));
    return this.#committer.disk.get(keyOf(number)) as Buffer | undefined;
  }

  /** Reads wait until {@link releaseReads}. */
  holdReads(): void {
    this.#heldReads ??= [];
  }

  releaseReads(): void {
    const held = this.#heldReads ?? [];
    this.#heldReads = null;
    for (const resolve of held) resolve();
  }

  async *scan(): AsyncIterable<readonly [number: number, value: Buffer]> {
    const lowest = (this.#committer.disk.get(LOW_WATER) as number | undefined) ?? 0;
    for (const number of this.stored.sort((a, b) => a - b)) {
      if (number >= lowest) yield [number, this.#committer.disk.get(keyOf(number)) as Buffer];
    }
  }

  /** Changes the stored bytes of a block. */
  damage(number: number): void {
    const value = Buffer.from(this.#committer.disk.get(keyOf(number)) as Buffer);
    value[value.length - 1] = (value[value.length - 1] as number) ^ 0xff;
    this.#committer.disk.set(keyOf(number), value);
  }
}

function keyOf(number: number): string {
  return PREFIX + number;
}

function numberOf(key: string): number {
  return Number(key.slice(PREFIX.length));
}
