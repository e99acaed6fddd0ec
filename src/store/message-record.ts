/**
 * A message as it stands in a block of the message log (docs/storage-format.md has it byte by byte):
 *
 *   length u32 | step | flags u8 | arrived u48 | [expires u48] | publisher | streams | offsets | content
 *
 * `content` is the message from its topic to its payload as it was received; the offsets say where its parts lie.
 * Numbers without a width are varints: seven bits a byte, the lowest first.
 */
import { Message, type Qos } from '../core/message.js';

const QOS = 3;
const RETAIN = 4;
const EXPIRES = 8;

/** More than everything but publisher, streams and content can take. */
const FIXED_BYTES = 64;

/** What recovery reads of a record, without making a Message of it. Overwritten by each {@link readOutline}. */
export class RecordOutline {
  sequence = 0;
  /** Bytes of content, as {@link Message.byteLength}. */
  byteLength = 0;
  qos: Qos = 0;
  /** Streams in which it stands. */
  readonly streams: number[] = [];
}

/** @returns bytes that the record may need at most */
export function largestRecord(message: Message, streamCount: number): number {
  return FIXED_BYTES + 3 * message.publisherId.length + 8 * streamCount + message.span;
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
): number {
  cursor = start + 4;
  writeVarint(target, step);
  const expires = message.expiresAtMs !== 0;
  target[cursor++] = message.qos | (message.retain ? RETAIN : 0) | (expires ? EXPIRES : 0);
  writeTime(target, message.arrivedAtMs);
  if (expires) writeTime(target, message.expiresAtMs);
  writeText(target, message.publisherId);
  writeVarint(target, streams.length);
  for (let at = 0; at < streams.length; at++) writeVarint(target, (streams[at] as { readonly id: number }).id);
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
