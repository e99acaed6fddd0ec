/** A BlockStore on a {@link StandInCommitter}. Like the real one it never looks below its low-water mark again. */
import type { BlockStore, StoredBlock } from '../../src/store/block-store.js';
import type { Ticket } from '../../src/store/ticket.js';
import type { StandInCommitter } from './stand-in-disk.js';

const PREFIX = 'log:';
const MARKS = 'marks:';
const LOW_WATER = 'meta:low-water';

export class StandInBlockStore implements BlockStore {
  /** Blocks that were written so far, in order. */
  readonly writes: { readonly number: number; readonly bytes: number; readonly isSynced: boolean }[] = [];
  readonly drops: number[] = [];
  /** Blocks whose marks were written so far, in order. */
  readonly marksWrites: { readonly number: number; readonly bytes: number }[] = [];
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

  /** Numbers of the blocks whose marks are on the disk. */
  get storedMarks(): number[] {
    return [...this.#committer.disk.keys()]
      .filter((key) => key.startsWith(MARKS))
      .map((key) => Number(key.slice(MARKS.length)));
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

  writeMarks(number: number, value: Buffer): void {
    this.marksWrites.push({ number, bytes: value.length });
    this.#committer.put(MARKS + number, Buffer.from(value));
  }

  dropMarks(number: number): void {
    this.#committer.remove(MARKS + number);
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

  async *scan(): AsyncIterable<StoredBlock> {
    const lowest = (this.#committer.disk.get(LOW_WATER) as number | undefined) ?? 0;
    const numbers = [...new Set([...this.stored, ...this.storedMarks])].sort((a, b) => a - b);
    for (const number of numbers) {
      const value = (this.#committer.disk.get(keyOf(number)) as Buffer | undefined) ?? null;
      const marks = (this.#committer.disk.get(MARKS + number) as Buffer | undefined) ?? null;
      if (number >= lowest) yield { number, value, marks };
    }
  }

  /** Changes the stored bytes of a block. */
  damage(number: number): void {
    this.#flipLastByte(keyOf(number));
  }

  /** Changes the stored marks of a block. */
  damageMarks(number: number): void {
    this.#flipLastByte(MARKS + number);
  }

  #flipLastByte(key: string): void {
    const value = Buffer.from(this.#committer.disk.get(key) as Buffer);
    value[value.length - 1] = (value[value.length - 1] as number) ^ 0xff;
    this.#committer.disk.set(key, value);
  }
}

function keyOf(number: number): string {
  return PREFIX + number;
}

function numberOf(key: string): number {
  return Number(key.slice(PREFIX.length));
}
