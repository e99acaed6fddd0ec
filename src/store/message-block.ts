/**
 * Messages that are stored under one key: packed one after the other, with how many still need each. It begins open,
 * takes messages until it is large enough, and is read only from then on; its bytes may go from memory and come back.
 *
 *   format u8 | CRC-32 of the rest u32 | sequence number of the first u48 | records u32 | record | record | …
 */
import { crc32 } from 'node:zlib';
import type { Message } from '../core/message.js';
import { BlockMarks } from './block-marks.js';
import {
  largestRecord,
  RecordOutline,
  readEntry,
  readMessage,
  readOutline,
  readStep,
  recordEnd,
  writeRecord,
} from './message-record.js';
import { NO_ENTRIES, type QueueEntry } from './queue-entry.js';
import { ReferenceCounts } from './reference-counts.js';
import type { StoredMarks } from './stored-marks.js';
import { NO_TICKET, type Ticket } from './ticket.js';

export const BLOCK_FORMAT = 1;
const HEADER_BYTES = 15;
/** A block that has grown beyond this takes no more. */
const FULL_BYTES = 64 * 1024;
const SMALLEST_BUFFER = 16 * 1024;
/** Bytes that each record takes at least. */
const SMALLEST_RECORD = 16;

const outline = new RecordOutline();

export class MessageBlock {
  readonly number: number;
  /** Sequence number of the first message. */
  readonly first: number;
  /** Messages that somebody needs. */
  live = 0;
  /** It has been handed to the block store. */
  isStored = false;
  /** So has everything in it: its content can be read back, and may go from memory. */
  isComplete = false;
  /** It holds what has to be written in the commit that is open, synced or not. */
  isDirty = false;
  mustSync = false;
  /** Takes no more messages. */
  isSealed = false;
  /** Ticket of the commit that holds it: from then on it can be read back. */
  writtenIn: Ticket = NO_TICKET;
  /** Bytes that it takes when it is stored. */
  storedBytes = HEADER_BYTES;
  /** References of streams to its messages: it holds what waits for sessions as long as there are any. */
  waiting = 0;
  /** Bytes of the records that streams refer to, or have referred to. */
  waitingBytes = 0;
  /** What has become of its messages in queues; null as long as there is nothing to say. */
  marks: BlockMarks | null = null;
  /** By sequence number less the first: who needs the message. */
  readonly #references = new ReferenceCounts();
  #bytes: Buffer | null;
  #end = HEADER_BYTES;
  #records = 0;
  /** Where the records begin, by sequence number less the first; 0 for one that is gone. Made when it is first asked for. */
  #starts: Uint32Array | null = null;

  /** @param bytes null for a block that is to be read */
  constructor(number: number, first: number, bytes: Buffer | null) {
    this.number = number;
    this.first = first;
    this.#bytes = bytes;
  }

  /** An open block. @param leastBytes room for its first record */
  static open(number: number, first: number, leastBytes: number): MessageBlock {
    return new MessageBlock(
      number,
      first,
      Buffer.allocUnsafeSlow(Math.max(SMALLEST_BUFFER, HEADER_BYTES + leastBytes)),
    );
  }

  /** Sequence numbers that it spans. */
  get count(): number {
    return this.#references.length;
  }

  /** The sequence number after its last message. */
  get end(): number {
    return this.first + this.count;
  }

  get isLoaded(): boolean {
    return this.#bytes !== null;
  }

  /** Memory that the content takes. */
  get memoryBytes(): number {
    return this.#bytes?.length ?? 0;
  }

  /** It takes no more messages: room that was meant for them is given back. */
  trimBuffer(): void {
    const bytes = this.#bytes;
    if (bytes !== null && bytes.length > 2 * this.#end) this.#bytes = copyOf(bytes, this.#end);
  }

  /**
   * @param waiting how many of the references are those of streams
   * @returns false if the message belongs into another block
   */
  append(
    message: Message,
    streams: readonly { readonly id: number }[],
    references: number,
    entries: readonly QueueEntry[] = NO_ENTRIES,
    waiting = 0,
  ): boolean {
    const needed = largestRecord(message, streams.length, entries);
    if (this.#records > 0 && this.#end + needed > FULL_BYTES) return false;
    const bytes = this.#ensureRoom(needed);
    this.#end = writeRecord(bytes, this.#end, this.#records === 0 ? 0 : 1, message, streams, entries);
    this.#noteWaiting(waiting, this.#end - this.storedBytes);
    this.storedBytes = this.#end;
    this.isComplete = false;
    this.#records++;
    this.#references.append(references);
    this.live++;
    this.#starts = null;
    return true;
  }

  /** One more needs a message that is needed already. */
  retain(sequence: number): void {
    const at = sequence - this.first;
    const references = this.#references.at(at);
    if (references > 0) this.#references.set(at, references + 1);
  }

  /** One who needed the message does so no more. @returns true if it was the last one */
  release(sequence: number): boolean {
    const at = sequence - this.first;
    const references = this.#references.at(at);
    if (references === 0) return false;
    this.#references.set(at, references - 1);
    if (references > 1) return false;
    this.live--;
    return true;
  }

  isLive(sequence: number): boolean {
    return this.#references.at(sequence - this.first) > 0;
  }

  /** The message with this number, undefined if it is not there. Only while {@link isLoaded}. */
  messageAt(sequence: number): Message | undefined {
    const start = this.#startOf(sequence);
    return start === 0 ? undefined : readMessage(this.#bytes as Buffer, start);
  }

  /** What is on record with the message for a queue; null if there is nothing. Only while {@link isLoaded}. */
  entryAt(sequence: number, queue: number): Buffer | null {
    const start = this.#startOf(sequence);
    return start === 0 ? null : readEntry(this.#bytes as Buffer, start, queue);
  }

  /** The value to store. A view: to be copied before the next change. */
  encode(): Buffer {
    const bytes = this.#bytes as Buffer;
    bytes[0] = BLOCK_FORMAT;
    bytes.writeUIntBE(this.first, 5, 6);
    bytes.writeUInt32BE(this.#records, 11);
    const value = bytes.subarray(0, this.#end);
    bytes.writeUInt32BE(crc32(value.subarray(5)), 1);
    return value;
  }

  /** Gives the memory of the content back. */
  unload(): void {
    this.#bytes = null;
    this.#starts = null;
  }

  /** Takes the content that has been read. @returns false if it is damaged, or another block's */
  load(bytes: Buffer): boolean {
    if (!isIntact(bytes) || firstOf(bytes) !== this.first) return false;
    this.#bytes = bytes;
    this.#end = bytes.length;
    this.#records = bytes.readUInt32BE(11);
    return true;
  }

  /** Leaves out the records that nobody needs. Only while {@link isLoaded} and sealed. */
  compact(): void {
    const source = this.#bytes as Buffer;
    const starts = this.#starts ?? this.#findStarts(source);
    let end = HEADER_BYTES;
    let before = this.first;
    let records = 0;
    const target = Buffer.allocUnsafeSlow(source.length + 8);
    for (let at = 0; at < this.count; at++) {
      const start = starts[at] as number;
      if (start === 0 || this.#references.at(at) === 0) continue;
      end = copyRecord(source, start, target, end, this.first + at - before);
      before = this.first + at;
      records++;
    }
    this.#bytes = copyOf(target, end);
    this.#end = end;
    this.#records = records;
    this.storedBytes = end;
    this.waitingBytes = Math.min(this.waitingBytes, end);
    this.#starts = null;
  }

  /**
   * The block that `bytes` are the value of, for recovery: `onRecord` says how many need each message.
   * @param stored the block's marks, if it has any
   * @param waitingOf how many streams need it as well
   * @returns null if they are damaged
   */
  static recover(
    number: number,
    bytes: Buffer,
    onRecord: (outline: Readonly<RecordOutline>) => number,
    stored: StoredMarks | null = null,
    waitingOf: (outline: Readonly<RecordOutline>) => number = () => 0,
  ): MessageBlock | null {
    if (!isIntact(bytes)) return null;
    const block = new MessageBlock(number, firstOf(bytes), null);
    block.isStored = true;
    block.isComplete = true;
    block.isSealed = true;
    block.storedBytes = bytes.length;
    let before = block.first;
    for (let start = HEADER_BYTES; start < bytes.length; start = recordEnd(bytes, start)) {
      readOutline(bytes, start, before, outline);
      before = outline.sequence;
      stored?.describe(outline, outline.sequence - block.first);
      const waiting = waitingOf(outline);
      const references = onRecord(outline) + waiting;
      block.#setReferences(outline.sequence, references);
      block.#noteWaiting(waiting, recordEnd(bytes, start) - start);
      if (stored !== null && references > 0) block.#restoreMarks(outline);
    }
    return block;
  }

  /** How many messages a damaged value held, as far as it can tell. 1 or more. */
  static countDamaged(bytes: Buffer): number {
    const counted = bytes.length < HEADER_BYTES ? 0 : bytes.readUInt32BE(11);
    return counted * SMALLEST_RECORD <= bytes.length ? Math.max(1, counted) : 1;
  }

  #noteWaiting(references: number, bytes: number): void {
    if (references === 0) return;
    this.waiting += references;
    this.waitingBytes += bytes;
  }

  #setReferences(sequence: number, references: number): void {
    while (this.end < sequence) this.#references.append(0);
    this.#references.append(references);
    if (references > 0) this.live++;
  }

  /** Of a message that somebody needs. What nobody needs is known to be settled by that alone. */
  #restoreMarks({ sequence, entries }: RecordOutline): void {
    for (const { queue, isSettled, state } of entries) {
      if (!isSettled && state === null) continue;
      this.marks ??= new BlockMarks();
      if (isSettled) this.marks.noteSettled(queue, sequence - this.first, this.count);
      else this.marks.noteState(queue, sequence - this.first, this.count);
    }
  }

  /** 0 if the message is not there. */
  #startOf(sequence: number): number {
    const bytes = this.#bytes;
    if (bytes === null || sequence < this.first || sequence >= this.end) return 0;
    this.#starts ??= this.#findStarts(bytes);
    return this.#starts[sequence - this.first] as number;
  }

  #findStarts(bytes: Buffer): Uint32Array {
    const starts = new Uint32Array(this.count);
    let at = 0;
    for (let start = HEADER_BYTES; start < this.#end; start = recordEnd(bytes, start)) {
      at += readStep(bytes, start);
      starts[at] = start;
    }
    return starts;
  }

  #ensureRoom(needed: number): Buffer {
    const bytes = this.#bytes as Buffer;
    if (this.#end + needed <= bytes.length) return bytes;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#end + needed, Math.min(4 * bytes.length, FULL_BYTES)));
    bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
    return larger;
  }
}

function isIntact(bytes: Buffer): boolean {
  if (bytes.length < HEADER_BYTES || bytes[0] !== BLOCK_FORMAT) return false;
  return crc32(bytes.subarray(5)) === bytes.readUInt32BE(1);
}

function firstOf(bytes: Buffer): number {
  return bytes.readUIntBE(5, 6);
}

function copyOf(bytes: Buffer, length: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(length);
  bytes.copy(copy, 0, 0, length);
  return copy;
}

/** Copies a record with another step. @returns its end */
function copyRecord(source: Buffer, start: number, target: Buffer, at: number, step: number): number {
  const sourceEnd = recordEnd(source, start);
  let bodyStart = start + 4;
  while ((source[bodyStart] as number) >= 0x80) bodyStart++;
  bodyStart++;
  let end = at + 4;
  for (let left = step; ; left = Math.floor(left / 0x80)) {
    target[end++] = left >= 0x80 ? (left % 0x80) | 0x80 : left;
    if (left < 0x80) break;
  }
  source.copy(target, end, bodyStart, sourceEnd);
  end += sourceEnd - bodyStart;
  target.writeUInt32BE(end - at - 4, at);
  return end;
}
