/** Reads a file that a person has written, whatever the path leads to: never more than a bound of it. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
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

export function readTextFile(file: string, maximumBytes: number): string | UnreadableFile {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    if (fstatSync(descriptor).isDirectory()) return new UnreadableFile('is a directory, not a file');
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
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'is not UTF-8 text';
  return `cannot be read (${code ?? String(error)})`;
}
