/**
 * A kept session's state as it is stored: where it stands in its streams, what is on its way to the client, and which
 * QoS 2 identifiers of the client are in use (docs/storage-format.md). Written as a whole each time.
 *
 *   format u8 | position | n, n copies done | repeats through | n, n identifiers received | n, n holes | least number | n, n entries
 *   entry: packet identifier | number less the least, plus 1, or 0 | order | flags u8 | [n, n identifiers]
 */
import type { Qos } from '../core/message.js';
import { type InflightEntry, NOT_LOGGED } from './inflight-window.js';
import { type BacklogPosition, ORDINARY_COPY } from './stream-backlog.js';

const FORMAT = 2;
/** Had one position for all ordinary copies and one for all others. */
const FORMAT_OF_TWO_POSITIONS = 1;
const QOS_2 = 1;
const RETAIN = 2;
const RELEASED = 4;
const IDENTIFIED = 16;

/** More than one entry without its identifiers takes. */
const LARGEST_ENTRY = 24;
const LARGEST_NUMBER = 8;
const LARGEST_PACKET_ID = 65_535;

export interface SessionState {
  readonly place: BacklogPosition;
  /** Messages up to this number may have been sent without a trace: they go out with DUP. 0 for none. */
  readonly repeatsThrough: number;
  readonly receivedIds: Iterable<number>;
  readonly inflight: Iterable<InflightEntry>;
}

let scratch = Buffer.allocUnsafeSlow(4096);
let cursor = 0;

/** @returns a view that is valid until the next call */
export function encodeSessionState(state: SessionState): Buffer {
  const { place } = state;
  const received = [...state.receivedIds];
  const inflight = [...state.inflight].sort((a, b) => a.order - b.order);
  cursor = 0;
  ensureRoom(1 + LARGEST_NUMBER * (7 + received.length + place.holes.length + place.done.length));
  scratch[cursor++] = FORMAT;
  write(place.position);
  writeAll(place.done);
  write(state.repeatsThrough);
  writeAll(received);
  writeAll(place.holes);
  const least = inflight.reduce(
    (lowest, { sequence }) => Math.min(lowest, sequence || lowest),
    Number.MAX_SAFE_INTEGER,
  );
  write(least);
  write(inflight.length);
  let order = 0;
  for (const entry of inflight) writeEntry(entry, least, order++);
  return scratch.subarray(0, cursor);
}

/** @throws RangeError for bytes that are no state, or one of a later format */
export function decodeSessionState(bytes: Buffer): SessionState {
  cursor = 0;
  const format = bytes[cursor++];
  if (format !== FORMAT && format !== FORMAT_OF_TWO_POSITIONS)
    throw new RangeError(`session state of format ${format}`);
  const { position, done } = format === FORMAT ? readPosition(bytes) : readTwoPositions(bytes);
  const repeatsThrough = read(bytes);
  const receivedIds = readAll(bytes);
  const holes = readAll(bytes);
  const least = read(bytes);
  const inflight: InflightEntry[] = [];
  const packetIds = new Set<number>();
  for (let left = read(bytes); left > 0; left--) {
    const entry = readEntry(bytes, least);
    if (packetIds.has(entry.packetId)) throw new RangeError(`packet identifier ${entry.packetId} stands there twice`);
    packetIds.add(entry.packetId);
    inflight.push(entry);
  }
  if (cursor !== bytes.length) throw new RangeError('session state goes on behind its end');
  return { place: { position, done, holes }, repeatsThrough, receivedIds, inflight };
}

function readPosition(bytes: Buffer): Pick<BacklogPosition, 'position' | 'done'> {
  return { position: read(bytes), done: readAll(bytes) };
}

/** Where the two differ, the larger one is that of a message of which the ordinary copy was done with first. */
function readTwoPositions(bytes: Buffer): Pick<BacklogPosition, 'position' | 'done'> {
  const ordinary = read(bytes);
  const own = read(bytes);
  return ordinary > own ? { position: ordinary - 1, done: [ORDINARY_COPY] } : { position: own, done: [] };
}

function writeEntry(entry: InflightEntry, least: number, order: number): void {
  const { identifiers } = entry;
  ensureRoom(LARGEST_ENTRY + LARGEST_NUMBER * (identifiers?.length ?? 0));
  write(entry.packetId);
  write(entry.sequence === NOT_LOGGED ? 0 : entry.sequence - least + 1);
  write(order);
  let flags = entry.qos === 2 ? QOS_2 : 0;
  if (entry.retain) flags |= RETAIN;
  if (entry.isReleased) flags |= RELEASED;
  if (identifiers !== null) flags |= IDENTIFIED;
  scratch[cursor++] = flags;
  if (identifiers !== null) writeAll(identifiers);
}

function readEntry(bytes: Buffer, least: number): InflightEntry {
  const packetId = read(bytes);
  const offset = read(bytes);
  const order = read(bytes);
  const flags = read(bytes);
  if (packetId > LARGEST_PACKET_ID) throw new RangeError(`packet identifier ${packetId}`);
  return {
    packetId,
    sequence: offset === 0 ? NOT_LOGGED : least + offset - 1,
    order,
    qos: ((flags & QOS_2) === 0 ? 1 : 2) as Qos,
    retain: (flags & RETAIN) !== 0,
    isReleased: (flags & RELEASED) !== 0,
    identifiers: (flags & IDENTIFIED) === 0 ? null : readAll(bytes),
  };
}

function writeAll(numbers: readonly number[]): void {
  write(numbers.length);
  for (const number of numbers) write(number);
}

function readAll(bytes: Buffer): number[] {
  const numbers: number[] = [];
  for (let left = read(bytes); left > 0; left--) numbers.push(read(bytes));
  return numbers;
}

function write(value: number): void {
  let left = value;
  while (left >= 0x80) {
    scratch[cursor++] = (left % 0x80) | 0x80;
    left = Math.floor(left / 0x80);
  }
  scratch[cursor++] = left;
}

function read(bytes: Buffer): number {
  let value = 0;
  let factor = 1;
  for (;;) {
    const byte = bytes[cursor++];
    if (byte === undefined) throw new RangeError('session state ends too early');
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
    factor *= 0x80;
  }
}

function ensureRoom(bytes: number): void {
  if (cursor + bytes <= scratch.length) return;
  const larger = Buffer.allocUnsafeSlow(2 * (cursor + bytes));
  scratch.copy(larger, 0, 0, cursor);
  scratch = larger;
}
