/**
 * The blocks of the message log, under keys that sort by number: `log:` and sixteen hexadecimal digits. Their marks
 * stand under the same number behind `marks:`.
 */
import type { BlockStore, StoredBlock } from './block-store.js';
import type { CommittedLevel } from './committed-level.js';
import { MessageBlock } from './message-block.js';
import { type NumberedValue, withMarks } from './stored-blocks.js';
import type { Ticket } from './ticket.js';

const BLOCKS = 'log:';
/** The next key kind behind the blocks. */
const MARKS = 'marks:';
/** Below this number there are no blocks: what was removed there need not be searched again. */
const LOW_WATER_KEY = 'meta:log-low-water';
/** Blocks that are removed between two updates of it. */
const LOW_WATER_STEP = 256;
/**
 * Removed bytes from which the database is told to give their room back; by itself it would wait for writes of the same
 * size. Less if the disk is full.
 */
const RECLAIMED_BYTES = 256 * 1024 * 1024;
const RECLAIMED_BYTES_WHEN_FULL = 4 * 1024 * 1024;

export class LevelBlockStore implements BlockStore {
  readonly #level: CommittedLevel;
  #dropsSinceLowWater = 0;
  #droppedBytes = 0;
  #isReclaiming = false;
  #readsUnderWay = 0;

  constructor(level: CommittedLevel) {
    this.#level = level;
  }

  get settledTicket(): Ticket {
    return this.#level.settledTicket;
  }

  /** Somebody waits for a block. */
  get isReading(): boolean {
    return this.#readsUnderWay > 0;
  }

  requireCommit(isSynced: boolean): Ticket {
    return this.#level.requireCommit(isSynced);
  }

  write(number: number, value: Buffer, isSynced: boolean): Ticket {
    return this.#level.putNow(keyOf(BLOCKS, number), value, isSynced);
  }

  writeMarks(number: number, value: Buffer): void {
    this.#level.putNow(keyOf(MARKS, number), value, false);
  }

  dropMarks(number: number): void {
    this.#level.delNow(keyOf(MARKS, number), false);
  }

  drop(number: number, bytes: number, lowest: number): void {
    this.#level.delNow(keyOf(BLOCKS, number), false);
    this.#droppedBytes += bytes;
    if (++this.#dropsSinceLowWater < LOW_WATER_STEP) return;
    this.#dropsSinceLowWater = 0;
    this.#level.putNow(LOW_WATER_KEY, Buffer.from(String(lowest)), false);
  }

  /** Has the database give back the room of removed blocks, in the background, when it is worth it. */
  reclaim(): void {
    const isFull = this.#level.health.state === 'full';
    const enough = isFull ? RECLAIMED_BYTES_WHEN_FULL : RECLAIMED_BYTES;
    if (this.#isReclaiming || this.#droppedBytes < enough) return;
    this.#isReclaiming = true;
    this.#droppedBytes = 0;
    const done = (): void => {
      this.#isReclaiming = false;
    };
    // What fails here fails at the next write too, and is told there.
    this.#level.compactRange(BLOCKS, endOf(MARKS)).then(done, done);
  }

  async read(number: number): Promise<Buffer | undefined> {
    this.#readsUnderWay++;
    try {
      return await this.#level.get(keyOf(BLOCKS, number));
    } finally {
      this.#readsUnderWay--;
    }
  }

  /** The largest sequence number that blocks, or what is left of them, are known to have borne; 0 for none. */
  async findLargestSequence(): Promise<number> {
    const lowWater = await this.#findLowWater();
    const [last] = await this.#level
      .iterator({ gte: keyOf(BLOCKS, lowWater), lt: endOf(BLOCKS), reverse: true, limit: 1 })
      .all();
    if (last === undefined) return Math.max(0, lowWater - 1);
    const [key, value] = last;
    const number = numberOf(BLOCKS, key);
    const block = MessageBlock.recover(number, value, () => 0);
    return block === null ? number : Math.max(number, block.end - 1);
  }

  async *scan(): AsyncIterable<StoredBlock> {
    const lowWater = await this.#findLowWater();
    yield* withMarks(this.#entries(BLOCKS, lowWater), this.#entries(MARKS, lowWater));
  }

  async *#entries(prefix: string, lowest: number): AsyncGenerator<NumberedValue> {
    const range = { gte: keyOf(prefix, lowest), lt: endOf(prefix) };
    const iterator = this.#level.iterator({ ...range, highWaterMarkBytes: 1024 * 1024, fillCache: false });
    try {
      for (;;) {
        const entries = await iterator.nextv(1000);
        if (entries.length === 0) return;
        for (const [key, value] of entries) {
          const number = numberOf(prefix, key);
          if (!Number.isNaN(number)) yield [number, value];
        }
      }
    } finally {
      await iterator.close();
    }
  }

  /** 0 where the record is missing or no number: then everything is looked at. */
  async #findLowWater(): Promise<number> {
    const lowWater = Number((await this.#level.get(LOW_WATER_KEY))?.toString() ?? '0');
    return Number.isSafeInteger(lowWater) && lowWater >= 0 ? lowWater : 0;
  }
}

function numberOf(prefix: string, key: string): number {
  return Number.parseInt(key.slice(prefix.length), 16);
}

function keyOf(prefix: string, number: number): string {
  return prefix + number.toString(16).padStart(16, '0');
}

/** Sorts behind every key with this prefix. */
function endOf(prefix: string): string {
  return `${prefix.slice(0, -1)};`;
}
