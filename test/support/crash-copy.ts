/**
 * A copy of an open database as a crash would leave it: what has been written, without a close. LevelDB changes its
 * files in the background; a copy counts only if none came or went meanwhile.
 */
import { cp, readdir, rm } from 'node:fs/promises';

export async function copyAsAfterCrash(location: string, target: string): Promise<void> {
  for (;;) {
    const before = await readdir(location);
    const isWhole = await copy(location, target);
    const after = await readdir(location);
    if (isWhole && before.join() === after.join()) return;
    await rm(target, { recursive: true, force: true });
  }
}

async function copy(location: string, target: string): Promise<boolean> {
  try {
    await cp(location, target, { recursive: true });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
