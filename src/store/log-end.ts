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

/**
 * Whether there is a batch behind a place: behind whatever cannot be read in its block, where LevelDB would not find it, or
 * in any of the blocks behind.
 */
function hasBatch(log: Buffer, from: number): boolean {
  for (let start = from; start < log.length; start = blockEnd(start)) {
    const border = blockEnd(start);
    let piece = readPiece(log, start);
    for (; piece.type !== null && piece.end <= border; piece = readPiece(log, piece.end)) {
      if (beginsBatch(log, piece.start)) return true;
    }
    for (let at = piece.start + 1; at < Math.min(border, log.length - LOG_HEADER_BYTES); at++) {
      if (mayBeginBatch(log, at) && beginsBatch(log, at)) return true;
    }
  }
  return false;
}

/** So that few checksums are computed: a batch begins with its sequence number, which never has all of its eight bytes. */
function mayBeginBatch(log: Buffer, at: number): boolean {
  const type = log[at + LOG_HEADER_BYTES - 1];
  return (type === FULL || type === FIRST) && log[at + LOG_HEADER_BYTES + 7] === 0;
}

function beginsBatch(log: Buffer, at: number): boolean {
  return readBatches(log, at).wholeBytes > at;
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
  if (end === log.length) return true;
  const typeAt = start + LOG_HEADER_BYTES - 1;
  const seenType = log[typeAt] as number;
  // The type is the last of the header: what is missing of it goes on behind it.
  if (seenType === 0) return isZero(log, typeAt, Math.min(sectorEnd(typeAt), end));
  // What is there of a header is as it was written, and what is not makes the length less.
  if (seenType > LAST || typeAt + 1 + log.readUInt16LE(start + 4) > blockEnd(start)) return false;
  if (log[end - 1] === 0) return true;
  for (let from = start; from < end; from = sectorEnd(from)) {
    if (isZero(log, from, Math.min(sectorEnd(from), end))) return true;
  }
  return false;
}

function sectorEnd(at: number): number {
  return at - (at % SECTOR_BYTES) + SECTOR_BYTES;
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
