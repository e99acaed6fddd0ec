/**
 * What LevelDB left out of its write-ahead log when it was opened: it serves the rest, and says so only in its own
 * `LOG`, which begins anew at each open. The torn end that a crash leaves behind is not among it, since nobody was told
 * that it was written.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface RecoveryReport {
  readonly droppedBytes: number;
  /** LevelDB's words. */
  readonly reasons: readonly string[];
}

/** Call it after the database at `location` has been opened. */
export async function readRecoveryReport(location: string): Promise<RecoveryReport> {
  const text = await readFile(join(location, 'LOG'), 'utf8');
  const drops = [...text.matchAll(/: dropping (\d+) bytes; (.*)/g)];
  return {
    droppedBytes: drops.reduce((sum, [, bytes]) => sum + Number(bytes), 0),
    reasons: [...new Set(drops.map(([, , reason]) => reason as string))],
  };
}
