/**
 * A message as it stands in a block of the message log (docs/storage-format.md has it byte by byte):
 *
 *   length u32 | step | flags u8 | arrived u48 | [expires u48] | publisher | streams | [entries] | offsets | content
 *
 * `content` is the message from its topic to its payload as it was received; the offsets say where its parts lie.
 * Numbers without a width are varints: seven bits a byte, the lowest first.
 */
import { Message, type Qos } from '../core/message.js';
import type { QueueEntry } from './queue-entry.js';

const QOS = 3;
const RETAIN = 4;
const EXPIRES = 8;
const IN_QUEUES = 16;

/** More than everything but publisher, streams, entries and content can take. */
const FIXED_BYTES = 64;
/** More than an entry takes beside its bytes. */
const ENTRY_BYTES = 16;

/** No queue's number. */
const NO_QUEUE = -1;
const NO_BYTES = Buffer.alloc(0);

/** An entry as recovery reads it, with what the marks of its block say of it. */
export class EntryOutline {
  queue = 0;
  /** A view, of use until the next record is read. */
  bytes: Buffer = NO_BYTES;
  /** The queue has done with the message. */
  isSettled = false;
  /** The state that the message had in the queue; null for none. A view as well. */
  state: Buffer | null = null;
}

/** What recovery reads of a record, without making a Message of it. Overwritten by each {@link readOutline}. */
export class RecordOutline {
  sequence = 0;
  /** Bytes of content, as {@link Message.byteLength}. */
  byteLength = 0;
  qos: Qos = 0;
  /** Streams in which it stands. */
  readonly streams: number[] = [];
  /**
   * In the queues in which it stands. Whoever meets the number of a queue that is no more has its successor numbered
   * above it: `queueNumbers.ensureAbove`.
   */
  readonly entries: EntryOutline[] = [];
  readonly #spareEntries: EntryOutline[] = [];

  addEntry(queue: number, bytes: Buffer): void {
    const entry = this.#spareEntries.pop() ?? new EntryOutline();
    entry.queue = queue;
    entry.bytes = bytes;
    entry.isSettled = false;
    entry.state = null;
    this.entries.push(entry);
  }

  clearEntries(): void {
    for (let entry = this.entries.pop(); entry !== undefined; entry = this.entries.pop())
      this.#spareEntries.push(entry);
  }
}

/** @returns bytes that the record may need at most */
export function largestRecord(message: Message, streamCount: number, entries: readonly QueueEntry[]): number {
  let bytes = FIXED_BYTES + 3 * message.publisherId.length + 8 * streamCount + message.span;
  for (let at = 0; at < entries.length; at++) bytes += ENTRY_BYTES + (entries[at] as QueueEntry).bytes.length;
  return bytes;
}

let cursor = 0;

/**
 * Writes a record at `start`, where there is room for {@link largestRecord} bytes.
 * @param step sequence number less the one of the record before (in the first record, less the block's)
 * @returns its end
 */
export function writeRecord(
  target: Buffer,
  start: number,
  step: number,
  message: Message,
  streams: readonly { readonly id: number }[],
  entries: readonly QueueEntry[],
): number {
  cursor = start + 4;
  writeVarint(target, step);
  const expires = message.expiresAtMs !== 0;
  const isInQueues = entries.length > 0;
  target[cursor++] =
    message.qos | (message.retain ? RETAIN : 0) | (expires ? EXPIRES : 0) | (isInQueues ? IN_QUEUES : 0);
  writeTime(target, message.arrivedAtMs);
  if (expires) writeTime(target, message.expiresAtMs);
  writeText(target, message.publisherId);
  writeVarint(target, streams.length);
  for (let at = 0; at < streams.length; at++) writeVarint(target, (streams[at] as { readonly id: number }).id);
  if (isInQueues) writeEntries(target, entries);
  writeVarint(target, message.topicEnd - message.topicStart);
  writeVarint(target, message.propertiesStart - message.topicEnd);
  writeVarint(target, message.propertiesEnd - message.propertiesStart);
  writeVarint(target, message.payloadStart - message.propertiesEnd);
  if (expires) writeVarint(target, message.expiryOffset === -1 ? 0 : message.expiryOffset - message.topicStart + 1);
  message.bytes.copy(target, cursor, message.topicStart, message.payloadEnd);
  cursor += message.span;
  target.writeUInt32BE(cursor - start - 4, start);
  return cursor;
}

/** @returns the end of the record at `start` */
export function recordEnd(source: Buffer, start: number): number {
  return start + 4 + source.readUInt32BE(start);
}

/** @returns how far the record at `start` is from the one before, see {@link writeRecord} */
export function readStep(source: Buffer, start: number): number {
  cursor = start + 4;
  return readVarint(source);
}

/** Reads what recovery needs of the record at `start`. @param before sequence number of the record before */
export function readOutline(source: Buffer, start: number, before: number, outline: RecordOutline): void {
  const end = recordEnd(source, start);
  cursor = start + 4;
  outline.sequence = before + readVarint(source);
  const flags = source[cursor] as number;
  outline.qos = (flags & QOS) as Qos;
  cursor += (flags & EXPIRES) === 0 ? 7 : 13;
  const publisherLength = readVarint(source);
  cursor += publisherLength;
  outline.streams.length = 0;
  for (let left = readVarint(source); left > 0; left--) outline.streams.push(readVarint(source));
  if (outline.entries.length > 0) outline.clearEntries();
  if ((flags & IN_QUEUES) !== 0) readEntries(source, outline);
  readVarint(source);
  const propertiesGap = readVarint(source);
  readVarint(source);
  const payloadGap = readVarint(source);
  if ((flags & EXPIRES) !== 0) readVarint(source);
  outline.byteLength = end - cursor - propertiesGap - payloadGap;
}

/** The message of the record at `start`: a view, which lives as long as `source` is not written to. */
export function readMessage(source: Buffer, start: number): Message {
  const end = recordEnd(source, start);
  cursor = start + 4;
  readVarint(source);
  const flags = source[cursor++] as number;
  const expires = (flags & EXPIRES) !== 0;
  const message = new Message();
  message.bytes = source;
  message.qos = (flags & QOS) as Qos;
  message.retain = (flags & RETAIN) !== 0;
  message.arrivedAtMs = readTime(source);
  if (expires) message.expiresAtMs = readTime(source);
  const publisherLength = readVarint(source);
  message.publisherId = source.utf8Slice(cursor, cursor + publisherLength);
  cursor += publisherLength;
  for (let left = readVarint(source); left > 0; left--) readVarint(source);
  if ((flags & IN_QUEUES) !== 0) findEntry(source, NO_QUEUE);
  const topicLength = readVarint(source);
  const propertiesGap = readVarint(source);
  const propertiesLength = readVarint(source);
  const payloadGap = readVarint(source);
  const expiryOffset = expires ? readVarint(source) : 0;
  message.topicStart = cursor;
  message.topicEnd = cursor + topicLength;
  message.propertiesStart = message.topicEnd + propertiesGap;
  message.propertiesEnd = message.propertiesStart + propertiesLength;
  message.payloadStart = message.propertiesEnd + payloadGap;
  message.payloadEnd = end;
  if (expiryOffset > 0) message.expiryOffset = cursor + expiryOffset - 1;
  message.topic = source.utf8Slice(message.topicStart, message.topicEnd);
  return message;
}

/** What the record at `start` has for the queue: a view, as the message. @returns null if it is not in it */
export function readEntry(source: Buffer, start: number, queue: number): Buffer | null {
  cursor = start + 4;
  readVarint(source);
  const flags = source[cursor] as number;
  if ((flags & IN_QUEUES) === 0) return null;
  cursor += (flags & EXPIRES) === 0 ? 7 : 13;
  const publisherLength = readVarint(source);
  cursor += publisherLength;
  for (let left = readVarint(source); left > 0; left--) readVarint(source);
  return findEntry(source, queue);
}

function writeEntries(target: Buffer, entries: readonly QueueEntry[]): void {
  writeVarint(target, entries.length);
  for (const { queue, bytes } of entries) {
    writeVarint(target, queue);
    writeVarint(target, bytes.length);
    target.set(bytes, cursor);
    cursor += bytes.length;
  }
}

function readEntries(source: Buffer, outline: RecordOutline): void {
  for (let left = readVarint(source); left > 0; left--) {
    const queue = readVarint(source);
    const length = readVarint(source);
    outline.addEntry(queue, source.subarray(cursor, cursor + length));
    cursor += length;
  }
}

/** Passes over the entries, up to that of the queue. */
function findEntry(source: Buffer, queue: number): Buffer | null {
  for (let left = readVarint(source); left > 0; left--) {
    const found = readVarint(source);
    const length = readVarint(source);
    if (found === queue) return source.subarray(cursor, cursor + length);
    cursor += length;
  }
  return null;
}

function writeVarint(target: Buffer, value: number): void {
  let left = value;
  while (left >= 0x80) {
    target[cursor++] = (left % 0x80) | 0x80;
    left = Math.floor(left / 0x80);
  }
  target[cursor++] = left;
}

function readVarint(source: Buffer): number {
  let byte = source[cursor++] as number;
  if (byte < 0x80) return byte;
  let value = byte & 0x7f;
  let factor = 0x80;
  do {
    byte = source[cursor++] as number;
    value += (byte & 0x7f) * factor;
    factor *= 0x80;
  } while (byte >= 0x80);
  return value;
}

function writeTime(target: Buffer, timeMs: number): void {
  target.writeUIntBE(timeMs, cursor, 6);
  cursor += 6;
}

function readTime(source: Buffer): number {
  const timeMs = source.readUIntBE(cursor, 6);
  cursor += 6;
  return timeMs;
}

/** Client ids are short, and nearly always ASCII: a loop is faster than a call. */
function writeText(target: Buffer, text: string): void {
  const { length } = text;
  if (length < 0x80) {
    let at = 0;
    for (; at < length; at++) {
      const code = text.charCodeAt(at);
      if (code >= 0x80) break;
      target[cursor + 1 + at] = code;
    }
    if (at === length) {
      target[cursor] = length;
      cursor += 1 + length;
      return;
    }
  }
  writeVarint(target, Buffer.byteLength(text));
  cursor += target.write(text, cursor);
}
