/** Reads a file that a person has written, whatever the path leads to: never more than a bound of it. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { formatByteSize } from './byte-size.js';

const CHUNK_BYTES = 64 * 1024;

/** Why there is no text. */
export class UnreadableFile {
  /** Continues the path: "is a directory, not a file". */
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Of a file that a broker reads: one that would have to be waited for, as a pipe, is refused. */
export function readTextFile(file: string, maximumBytes: number): string | UnreadableFile {
  // Opening a pipe that nobody writes to would hold the process up for good.
  return readFrom(file, constants.O_RDONLY | constants.O_NONBLOCK, maximumBytes);
}

/** Of a file that somebody gives to a command, who may be writing it now: `--config <(…)`. Waits for him. */
export function readGivenText(file: string, maximumBytes: number): string | UnreadableFile {
  return readFrom(file, constants.O_RDONLY, maximumBytes);
}

function readFrom(file: string, flags: number, maximumBytes: number): string | UnreadableFile {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, flags);
    const status = fstatSync(descriptor);
    if (status.isDirectory()) return new UnreadableFile('is a directory, not a file');
    if (status.isFIFO() && (flags & constants.O_NONBLOCK) !== 0) return new UnreadableFile('is a pipe, not a file');
    const bytes = readUpTo(descriptor, maximumBytes);
    if (bytes === undefined) return new UnreadableFile(`is larger than ${formatByteSize(maximumBytes)}`);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    return new UnreadableFile(explain(error));
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Not readFileSync: a device or a pipe has no size to check beforehand. */
function readUpTo(descriptor: number, maximumBytes: number): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let length = 0; length <= maximumBytes; ) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const read = readSync(descriptor, chunk, 0, CHUNK_BYTES, null);
    if (read === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, read));
    length += read;
  }
  return undefined;
}

function explain(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this user';
  if (code === 'ENXIO') return 'is a socket or a device, not a file';
  if (code === 'ELOOP') return 'is a link that leads back to itself';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'is not UTF-8 text';
  return `cannot be read (${code ?? String(error)})`;
}
