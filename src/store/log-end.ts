/**
 * Tells what a crash leaves at the end of LevelDB's write-ahead log from damage. LevelDB passes over the first in silence
 * where the file ends with it, but not where room follows (see LogRoom): there a batch that is on the disk in part is
 * followed by zeros, and looks to LevelDB like a record that has changed since.
 *
 *   record │ record │ record, torn: 0000 … │ 0000000
 */
import { crc32c } from '../core/crc32c.js';
import { LOG_BLOCK_BYTES, LOG_HEADER_BYTES } from './log-format.js';

export interface LogEnd {
  /** Torn: behind whole batches stands one that was never written to its end. Damaged: anything else. */
  readonly state: 'whole' | 'torn' | 'damaged';
  /** How far the log can be read without a gap. */
  readonly wholeBytes: number;
}

/** What a disk writes at once, at least. */
const SECTOR_BYTES = 512;

/** Types of records: a whole batch, or a part of one. */
const FULL = 1;
const FIRST = 2;
const MIDDLE = 3;
const LAST = 4;

interface Piece {
  readonly start: number;
  /** Where it ends; where it is not intact, where it would by its header, or its block does. */
  readonly end: number;
  /** Null if it is not intact. */
  readonly type: number | null;
}

/** @param log all of it */
export function judgeLogEnd(log: Buffer): LogEnd {
  const whole = readBatches(log, 0);
  const { wholeBytes } = whole;
  if (isZero(log, wholeBytes, log.length)) return { state: 'whole', wholeBytes };
  const isTorn = isUnwritten(log, whole.stoppedAt) && !hasBatch(log, wholeBytes);
  return { state: isTorn ? 'torn' : 'damaged', wholeBytes };
}

/** Reads batches up to the first that is not whole. */
function readBatches(log: Buffer, from: number): { readonly wholeBytes: number; readonly stoppedAt: Piece } {
  let wholeBytes = from;
  let isWithin = false;
  for (let piece = readPiece(log, from); ; piece = readPiece(log, piece.end)) {
    const { type } = piece;
    const isBeginning = type === FULL || type === FIRST;
    if (type === null || isBeginning === isWithin) return { wholeBytes, stoppedAt: piece };
    isWithin = type === FIRST || type === MIDDLE;
    if (!isWithin) wholeBytes = piece.end;
  }
}

/** Whether there is a batch in any of the blocks behind a place: LevelDB would read it. */
function hasBatch(log: Buffer, from: number): boolean {
  for (let start = from; start < log.length; start = blockEnd(start)) {
    for (let piece = readPiece(log, start); piece.type !== null && piece.end <= blockEnd(start); ) {
      if (readBatches(log, piece.start).wholeBytes > piece.start) return true;
      piece = readPiece(log, piece.end);
    }
  }
  return false;
}

function readPiece(log: Buffer, from: number): Piece {
  const start = blockEnd(from) - from < LOG_HEADER_BYTES ? blockEnd(from) : from;
  const border = Math.min(blockEnd(start), log.length);
  if (start + LOG_HEADER_BYTES > border) return { start, end: border, type: null };
  const end = start + LOG_HEADER_BYTES + log.readUInt16LE(start + 4);
  const type = log[start + 6] as number;
  if (end > border || type < FULL || type > LAST) return { start, end: border, type: null };
  const isIntact = unmasked(log.readUInt32LE(start)) === crc32c(log.subarray(start + 6, end));
  return { start, end, type: isIntact ? type : null };
}

/** Whether the file ends within this piece, or a part of it that a disk writes at once has remained zeros. */
function isUnwritten(log: Buffer, { start, end, type }: Piece): boolean {
  if (type !== null) return false;
  if (end === log.length || log[end - 1] === 0) return true;
  for (let from = start; from < end; ) {
    const to = Math.min(from - (from % SECTOR_BYTES) + SECTOR_BYTES, end);
    if (isZero(log, from, to)) return true;
    from = to;
  }
  return false;
}

function blockEnd(at: number): number {
  return at - (at % LOG_BLOCK_BYTES) + LOG_BLOCK_BYTES;
}

function isZero(log: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (log[at] !== 0) return false;
  return true;
}

/** LevelDB stores checksums turned and shifted, so that a checksum of them makes sense. */
function unmasked(stored: number): number {
  const turned = (stored - 0xa2_82_ea_d8) >>> 0;
  return ((turned >>> 17) | (turned << 15)) >>> 0;
}
