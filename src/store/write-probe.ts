/**
 * Finds out whether a directory can take as much as opening its database again will write, before the database is
 * closed for it: on a full disk the open one still answers reads, a closed one could not be opened.
 */
import { open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const PROBE = 'write-probe';
const CHUNK_BYTES = 1 << 20;

/**
 * @param groupBytes what is to be written after the database has been opened
 * @throws the error of the file system
 */
export async function probeWrites(location: string, groupBytes: number): Promise<void> {
  const path = join(location, PROBE);
  try {
    await writeDurably(path, (await findLogBytes(location)) + groupBytes + CHUNK_BYTES);
  } finally {
    await rm(path, { force: true });
  }
}

/** LevelDB turns its logs into tables when it is opened. */
async function findLogBytes(location: string): Promise<number> {
  const names = await readdir(location);
  const logs = names.filter((name) => name.endsWith('.log'));
  const sizes = await Promise.all(logs.map(async (name) => (await stat(join(location, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function writeDurably(path: string, bytes: number): Promise<void> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const file = await open(path, 'w');
  try {
    for (let written = 0; written < bytes; written += CHUNK_BYTES) await file.write(chunk);
    await file.datasync();
  } finally {
    await file.close();
  }
}
