/**
 * The marks of a block as they stand in the store (docs/storage-format.md has them byte by byte):
 *
 *   format u8 | CRC-32 of the rest u32 | number of the block u48 | done | queue | queue | …
 *
 * `done` are the messages that nobody needs: settled in whatever queue they were. A queue says what it has settled of
 * the others, and the state of what is on its way.
 */
import { crc32 } from 'node:zlib';
import { DamagedRecord } from '../core/errors.js';
import { Bitmap } from './bitmap.js';
import type { BlockMarks, MarksOfQueue } from './block-marks.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import type { RecordOutline } from './message-record.js';

/** Knows the state of messages on their way: attempts, deadlines. One owner: whoever runs the queues. */
export interface QueueStates {
  /** The message's state as it is now, null if it has none any more. It is copied before the next call. */
  encodeState(queue: number, sequence: number): Uint8Array | null;
}

/** The block, as far as its marks depend on it. */
export interface MarkedBlock {
  readonly number: number;
  readonly first: number;
  readonly count: number;
  isLive(sequence: number): boolean;
}

const MARKS_FORMAT = 1;
const HEADER_BYTES = 11;
/** Ends a queue's states: an offset is at least one more than the one before. */
const END_OF_STATES = 0;

const NO_BYTES = new Uint8Array(0);

const writer = new ByteWriter();

/**
 * The value to store, null if there is nothing to say. A view: to be copied before the next call. What has become
 * superfluous is left out of `marks` too.
 */
export function encodeMarks(block: MarkedBlock, marks: BlockMarks, states: QueueStates | null): Buffer | null {
  writer.reset();
  writer.uint8(MARKS_FORMAT);
  writer.skip(4);
  writer.uint48(block.number);
  const done = doneOf(block);
  writeBitmap(done);
  const withoutQueues = writer.length;
  for (const queue of marks.queues) writeQueue(queue, block, states);
  marks.prune();
  if (writer.length === withoutQueues && done.isEmpty) return null;
  const value = writer.view;
  value.writeUInt32BE(crc32(value.subarray(5)), 1);
  return value;
}

function doneOf(block: MarkedBlock): Bitmap {
  const done = new Bitmap(block.count);
  for (let offset = 0; offset < block.count; offset++) if (!block.isLive(block.first + offset)) done.add(offset);
  return done;
}

function writeQueue({ queue, settled, withState }: MarksOfQueue, block: MarkedBlock, states: QueueStates | null): void {
  const before = writer.length;
  writer.varint(queue);
  if (settled !== null) deleteDone(settled, block);
  writeBitmap(settled);
  const withoutStates = writer.length;
  if (withState !== null) writeStates(queue, withState, block, states);
  const isNothing = writer.length === withoutStates && (settled?.isEmpty ?? true);
  if (isNothing) writer.reset(before);
  else writer.varint(END_OF_STATES);
}

function writeStates(queue: number, withState: Bitmap, block: MarkedBlock, states: QueueStates | null): void {
  let before = -1;
  for (let offset = withState.next(0); offset !== -1; offset = withState.next(offset + 1)) {
    const sequence = block.first + offset;
    const state = block.isLive(sequence) ? (states?.encodeState(queue, sequence) ?? null) : null;
    if (state === null) {
      withState.delete(offset);
      continue;
    }
    writer.varint(offset - before);
    writer.varint(state.length);
    writer.bytes(state);
    before = offset;
  }
}

function deleteDone(settled: Bitmap, block: MarkedBlock): void {
  for (let offset = settled.next(0); offset !== -1; offset = settled.next(offset + 1)) {
    if (!block.isLive(block.first + offset)) settled.delete(offset);
  }
}

function writeBitmap(bitmap: Bitmap | null): void {
  const used = bitmap?.usedBytes ?? NO_BYTES;
  writer.varint(used.length === 0 ? 0 : (bitmap as Bitmap).start);
  writer.varint(used.length);
  writer.bytes(used);
}

interface StoredQueue {
  readonly settled: Bitmap;
  /** By offset. */
  readonly states: ReadonlyMap<number, Buffer>;
}

/** What a restart reads of the marks of a block. */
export class StoredMarks {
  readonly #done: Bitmap;
  readonly #queues: ReadonlyMap<number, StoredQueue>;

  private constructor(done: Bitmap, queues: ReadonlyMap<number, StoredQueue>) {
    this.#done = done;
    this.#queues = queues;
  }

  /** @param number of the block @returns null if the value is damaged, or another block's */
  static decode(value: Buffer, number: number): StoredMarks | null {
    if (value.length < HEADER_BYTES || value[0] !== MARKS_FORMAT) return null;
    if (crc32(value.subarray(5)) !== value.readUInt32BE(1) || value.readUIntBE(5, 6) !== number) return null;
    try {
      return StoredMarks.#read(new ByteReader(value, HEADER_BYTES));
    } catch (error) {
      if (error instanceof DamagedRecord) return null;
      throw error;
    }
  }

  /** Notes of each entry of the record whether it is settled, and its state. @param offset of the message */
  describe({ entries }: RecordOutline, offset: number): void {
    const isDone = this.#done.has(offset);
    for (const entry of entries) {
      const queue = this.#queues.get(entry.queue);
      entry.isSettled = isDone || (queue?.settled.has(offset) ?? false);
      entry.state = entry.isSettled ? null : (queue?.states.get(offset) ?? null);
    }
  }

  static #read(reader: ByteReader): StoredMarks {
    const done = readBitmap(reader);
    const queues = new Map<number, StoredQueue>();
    while (!reader.isAtEnd) {
      const queue = reader.varint();
      queues.set(queue, { settled: readBitmap(reader), states: readStates(reader) });
    }
    return new StoredMarks(done, queues);
  }
}

function readBitmap(reader: ByteReader): Bitmap {
  const start = reader.varint();
  return Bitmap.of(start, reader.bytes(reader.varint()));
}

function readStates(reader: ByteReader): Map<number, Buffer> {
  const states = new Map<number, Buffer>();
  let offset = -1;
  for (let step = reader.varint(); step !== END_OF_STATES; step = reader.varint()) {
    offset += step;
    states.set(offset, reader.bytes(reader.varint()));
  }
  return states;
}
