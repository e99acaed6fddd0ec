/**
 * Keeps LevelDB's write-ahead logs while it opens a database: it moves what it can read of them into tables and deletes
 * them, and only then can be known whether it left something out. They are linked, not copied, so that every start can
 * afford it.
 *
 *   store/000007.log ─link─► store.opening/000007.log ─► store.damaged-log-<time>, or removed
 *
 * What cannot be kept does not hinder the start: not every file system has links.
 */
import { link, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { judgeLogEnd } from './log-end.js';
import { sortedLogs } from './log-format.js';

export class KeptLogs {
  readonly #location: string;
  /** In the order in which they were written. */
  #names: readonly string[] = [];

  private constructor(location: string) {
    this.#location = location;
  }

  /** @param location of a database that is closed, or not there yet */
  static async keep(location: string): Promise<KeptLogs> {
    const kept = new KeptLogs(location);
    const names = sortedLogs(await readdir(location).catch(() => []));
    kept.#names = names;
    if (names.length === 0) return kept;
    await mkdir(kept.#directory, { mode: 0o700 }).catch(() => {});
    for (const name of names) await link(join(location, name), join(kept.#directory, name)).catch(() => {});
    return kept;
  }

  /**
   * Whether all that is wrong with them is a batch at their end that a crash has cut off: nobody was told that it had been
   * written. False if they could not be kept.
   */
  async endTorn(): Promise<boolean> {
    try {
      for (const name of this.#names) {
        const { state } = judgeLogEnd(await readFile(join(this.#directory, name)));
        if (state === 'torn') return name === this.#names.at(-1);
        if (state === 'damaged') return false;
      }
    } catch {
      return false;
    }
    return false;
  }

  /** Leaves them to the owner of the data. @returns where they are; null if they could not be kept */
  async setAside(nowMs: number): Promise<string | null> {
    // Without ':', which not every file system takes.
    const aside = `${this.#location}.damaged-log-${new Date(nowMs).toISOString().replaceAll(':', '-')}`;
    return await rename(this.#directory, aside).then(
      () => aside,
      () => null,
    );
  }

  async discard(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true }).catch(() => {});
  }

  get #directory(): string {
    return `${this.#location}.opening`;
  }
}
