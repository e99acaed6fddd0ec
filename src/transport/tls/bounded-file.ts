/** Reads a small file at once, whatever its path leads to: a pipe or a device would hold the process up. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Some hundred certificates, or a revocation list with a hundred thousand entries. */
const MAXIMUM_BYTES = 8 * 1024 * 1024;

/** Why there is no text; continues the path. */
export class FileUnreadable {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

export function readBoundedFile(file: string): string | FileUnreadable {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = fstatSync(descriptor);
    if (status.isDirectory()) return new FileUnreadable('is a directory, not a file');
    if (!status.isFile()) return new FileUnreadable('is not a regular file');
    if (status.size > MAXIMUM_BYTES) return new FileUnreadable('is larger than 8 MiB');
    return read(descriptor, status.size);
  } catch (error) {
    return new FileUnreadable(explain(error as NodeJS.ErrnoException));
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** What is appended meanwhile is for the next time. */
function read(descriptor: number, size: number): string {
  const bytes = Buffer.alloc(size);
  let length = 0;
  while (length < size) {
    const count = readSync(descriptor, bytes, length, size - length, null);
    if (count === 0) break;
    length += count;
  }
  return bytes.toString('latin1', 0, length);
}

function explain({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this user';
  return `cannot be read (${code ?? message})`;
}
