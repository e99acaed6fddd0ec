/** Makes the names in a directory durable: without it a loss of power may leave the files but not what they are called. */
import { open } from 'node:fs/promises';

/** @throws what the file system says; does nothing where directories cannot be synced (Windows) */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
