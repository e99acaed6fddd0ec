/**
 * A retained message at rest: a few fields, and its content in the layout of a Message, all in one piece of a page. It takes a
 * third of what the Message takes as an object, which is made when it is asked for, on these bytes.
 *
 *   0       4             6                 8                  12     13       16           24
 *   length  topic length  publisher length  properties length  flags  padding  arrivedAtMs  [expiry] publisher topic properties payload
 *
 *   [expiry], if there is one:  expiresAtMs (8)  place among those that expire (4)  its offset in the content, or -1 (4)
 *
 * Of these only the place, and that it is not retained any more, change after it has been written: who has a Message on it
 * reads what it was.
 */
import { Message, type Qos } from '../core/message.js';

/** Names a row: the number of its page, and where in that it begins. Another one after it has moved. */
export type Row = number;

const TOPIC_LENGTH = 4;
const PUBLISHER_LENGTH = 6;
const PROPERTIES_LENGTH = 8;
const FLAGS = 12;
const ARRIVED_AT = 16;
const FIXED_BYTES = 24;
const EXPIRES_AT = 24;
const EXPIRY_PLACE = 32;
const EXPIRY_OFFSET = 36;
const EXPIRY_BYTES = 16;

const QOS_MASK = 0x03;
const RETAIN_FLAG = 0x04;
const EXPIRY_FLAG = 0x08;
const RELEASED_FLAG = 0x10;

/** Rows begin at multiples of it. */
export const ROW_ALIGNMENT = 8;

const SEPARATOR = 0x2f;

/** Bytes of the row for a message. */
export function rowLengthFor(message: Message): number {
  const header = FIXED_BYTES + (message.expiresAtMs === 0 ? 0 : EXPIRY_BYTES);
  const length = header + Buffer.byteLength(message.publisherId) + message.byteLength;
  return Math.ceil(length / ROW_ALIGNMENT) * ROW_ALIGNMENT;
}

/** @param length what {@link rowLengthFor} says */
export function writeRow(target: Buffer, at: number, length: number, message: Message): void {
  const { bytes, topicStart, topicEnd, propertiesStart, propertiesEnd, payloadStart, payloadEnd } = message;
  const expires = message.expiresAtMs !== 0;
  const publisherStart = at + FIXED_BYTES + (expires ? EXPIRY_BYTES : 0);
  const publisherLength = target.write(message.publisherId, publisherStart);
  const contentStart = publisherStart + publisherLength;
  let end = contentStart;
  end += bytes.copy(target, end, topicStart, topicEnd);
  if (propertiesEnd > propertiesStart) end += bytes.copy(target, end, propertiesStart, propertiesEnd);
  bytes.copy(target, end, payloadStart, payloadEnd);
  // What is left over up to the next row.
  const padding = length - (contentStart - at) - message.byteLength;
  target.writeUInt32LE(length, at);
  target.writeUInt16LE(topicEnd - topicStart, at + TOPIC_LENGTH);
  target.writeUInt16LE(publisherLength, at + PUBLISHER_LENGTH);
  target.writeUInt32LE(propertiesEnd - propertiesStart, at + PROPERTIES_LENGTH);
  target[at + FLAGS] = message.qos | (message.retain ? RETAIN_FLAG : 0) | (expires ? EXPIRY_FLAG : 0);
  target[at + FLAGS + 1] = padding;
  target.writeDoubleLE(message.arrivedAtMs, at + ARRIVED_AT);
  if (!expires) return;
  const { expiryOffset } = message;
  const inContent = expiryOffset === -1 ? -1 : topicEnd - topicStart + (expiryOffset - propertiesStart);
  target.writeDoubleLE(message.expiresAtMs, at + EXPIRES_AT);
  target.writeInt32LE(inContent, at + EXPIRY_OFFSET);
}

/** A Message on the row's bytes. @param publisherId of the row */
export function messageOfRow(bytes: Buffer, at: number, publisherId: string): Message {
  const flags = bytes[at + FLAGS] as number;
  const expires = (flags & EXPIRY_FLAG) !== 0;
  const topicStart = topicStartOfRow(bytes, at);
  const topicEnd = topicStart + topicLengthOfRow(bytes, at);
  const propertiesEnd = topicEnd + uint32(bytes, at + PROPERTIES_LENGTH);
  const message = new Message();
  message.topic = null;
  message.bytes = bytes;
  message.topicStart = topicStart;
  message.topicEnd = topicEnd;
  message.propertiesStart = topicEnd;
  message.propertiesEnd = propertiesEnd;
  message.payloadStart = propertiesEnd;
  message.payloadEnd = contentEndOfRow(bytes, at);
  message.qos = (flags & QOS_MASK) as Qos;
  message.retain = (flags & RETAIN_FLAG) !== 0;
  message.publisherId = publisherId;
  message.arrivedAtMs = bytes.readDoubleLE(at + ARRIVED_AT);
  if (!expires) return message;
  message.expiresAtMs = bytes.readDoubleLE(at + EXPIRES_AT);
  const expiryOffset = bytes.readInt32LE(at + EXPIRY_OFFSET);
  message.expiryOffset = expiryOffset === -1 ? -1 : topicStart + expiryOffset;
  return message;
}

export function rowLength(bytes: Buffer, at: number): number {
  return uint32(bytes, at);
}

export function topicOfRow(bytes: Buffer, at: number): string {
  const start = topicStartOfRow(bytes, at);
  return bytes.utf8Slice(start, start + topicLengthOfRow(bytes, at));
}

export function topicLengthOfRow(bytes: Buffer, at: number): number {
  return uint16(bytes, at + TOPIC_LENGTH);
}

export function isRowAbout(bytes: Buffer, at: number, topic: string): boolean {
  if (!rowStartsWith(bytes, at, topic)) return false;
  const length = topicLengthOfRow(bytes, at);
  // What takes more bytes than it has code units takes more than this.
  return length === topic.length || length === Buffer.byteLength(topic);
}

/** Whether its topic begins with a text: as much work as that is long, however long the topic is. */
export function rowStartsWith(bytes: Buffer, at: number, beginning: string): boolean {
  const start = topicStartOfRow(bytes, at);
  const length = topicLengthOfRow(bytes, at);
  // A UTF-16 code unit takes one to three bytes.
  if (length < beginning.length) return false;
  for (let index = 0; index < beginning.length; index++) {
    const unit = beginning.charCodeAt(index);
    if (unit >= 0x80) {
      return bytes.utf8Slice(start, start + Math.min(length, 3 * beginning.length)).startsWith(beginning);
    }
    if (bytes[start + index] !== unit) return false;
  }
  return true;
}

export function levelsOfRow(bytes: Buffer, at: number): number {
  const start = topicStartOfRow(bytes, at);
  const end = start + topicLengthOfRow(bytes, at);
  let levels = 1;
  for (let index = start; index < end; index++) if (bytes[index] === SEPARATOR) levels++;
  return levels;
}

/** Where the publisher's client id stands. */
export function publisherStartOfRow(bytes: Buffer, at: number): number {
  return at + FIXED_BYTES + (((bytes[at + FLAGS] as number) & EXPIRY_FLAG) === 0 ? 0 : EXPIRY_BYTES);
}

/** Where the topic stands, and the publisher's client id ends. */
export function topicStartOfRow(bytes: Buffer, at: number): number {
  return publisherStartOfRow(bytes, at) + uint16(bytes, at + PUBLISHER_LENGTH);
}

/** 0 if it does not expire. */
export function expiresAtOfRow(bytes: Buffer, at: number): number {
  return ((bytes[at + FLAGS] as number) & EXPIRY_FLAG) === 0 ? 0 : bytes.readDoubleLE(at + EXPIRES_AT);
}

export function arrivedAtOfRow(bytes: Buffer, at: number): number {
  return bytes.readDoubleLE(at + ARRIVED_AT);
}

/** Of a row that expires. */
export function expiryPlaceOfRow(bytes: Buffer, at: number): number {
  return uint32(bytes, at + EXPIRY_PLACE);
}

export function setExpiryPlaceOfRow(bytes: Buffer, at: number, place: number): void {
  bytes.writeUInt32LE(place, at + EXPIRY_PLACE);
}

export function isRowReleased(bytes: Buffer, at: number): boolean {
  return ((bytes[at + FLAGS] as number) & RELEASED_FLAG) !== 0;
}

export function markRowReleased(bytes: Buffer, at: number): void {
  bytes[at + FLAGS] = (bytes[at + FLAGS] as number) | RELEASED_FLAG;
}

function contentEndOfRow(bytes: Buffer, at: number): number {
  return at + rowLength(bytes, at) - (bytes[at + FLAGS + 1] as number);
}

/* As Buffer's own methods do it, without their checks: this is done several times for each row that a search comes by. */

function uint16(bytes: Buffer, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

function uint32(bytes: Buffer, at: number): number {
  return uint16(bytes, at) + uint16(bytes, at + 2) * 0x10000;
}
