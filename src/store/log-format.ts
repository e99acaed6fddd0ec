/**
 * The layout of LevelDB's write-ahead log, as far as others than LevelDB have to know it: blocks of 32 KiB in which
 * records follow each other; a record that does not fit is continued in the next block, behind a header of its own. One
 * record is one batch. See LevelDB's doc/log_format.md.
 */
import type { Encoded } from './native-level.js';

export const LOG_BLOCK_BYTES = 32_768;
/** Checksum, length and type. Where less than this is left of a block, it is filled with zeros. */
export const LOG_HEADER_BYTES = 7;
/** What a batch takes besides its operations: sequence number and count. */
export const BATCH_HEADER_BYTES = 12;

/** How long the log is after a batch of so many bytes has been added to it. */
export function logBytesAfter(logBytes: number, batchBytes: number): number {
  let end = logBytes;
  let left = batchBytes;
  do {
    let inBlock = LOG_BLOCK_BYTES - (end % LOG_BLOCK_BYTES);
    if (inBlock < LOG_HEADER_BYTES) {
      end += inBlock;
      inBlock = LOG_BLOCK_BYTES;
    }
    const fragment = Math.min(left, inBlock - LOG_HEADER_BYTES);
    end += LOG_HEADER_BYTES + fragment;
    left -= fragment;
  } while (left > 0);
  return end;
}

/** The logs among the files of a database, in the order in which they were written. */
export function sortedLogs(names: readonly string[]): string[] {
  const logs = names.filter((name) => /^\d+\.log$/.test(name));
  return logs.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
}

/** What an operation takes in a batch. @param value undefined for a removal */
export function operationBytes(key: Encoded, value?: Encoded): number {
  return 1 + prefixedBytes(key) + (value === undefined ? 0 : prefixedBytes(value));
}

function prefixedBytes(data: Encoded): number {
  const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.length;
  let prefix = 1;
  for (let rest = bytes; rest >= 128; rest /= 128) prefix++;
  return prefix + bytes;
}
