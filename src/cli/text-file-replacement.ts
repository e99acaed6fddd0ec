/**
 * Replaces a text file as a whole: who reads it finds it as it was, or as it is to be, also after a crash. Mode and owner stay; what a
 * link leads to is replaced, and the link stays.
 */
import { randomBytes } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { lstat, open, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FileNotWritten } from '../auth/administration/administration-errors.js';
import type { FileDraft } from '../auth/administration/edited-file.js';

const OWNER_ONLY = 0o600;
const MODE_BITS = 0o7777;

/** Nobody takes a hidden file of this name for one of his own. */
const DRAFT_NAME = /^[0-9a-f]{12}\.draft$/;

/** A draft that is as old as this was left behind by a process that was killed. */
const FORGOTTEN_AFTER_MS = 60_000;

/** Those that pass by themselves, or with room on the disk. */
const PASSING = ['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE', 'EAGAIN'];

export class TextFileReplacement implements FileDraft {
  readonly #file: string;
  readonly #target: string;
  readonly #draft: string;
  #isPlaced = false;

  private constructor(file: string, target: string, draft: string) {
    this.#file = file;
    this.#target = target;
    this.#draft = draft;
  }

  /** Writes the text beside the file, on the disk. The file need not be there. @throws FileNotWritten */
  static async prepare(file: string, text: string): Promise<TextFileReplacement> {
    let draft: string | undefined;
    try {
      const status = await statusOf(file);
      // A device would be one no longer, for whoever else uses it.
      if (status !== null && !status.isFile()) throw new FileNotWritten(`${file} is not a regular file`, true);
      const target = status === null ? file : await realpath(file);
      draft = `${draftStem(target)}${randomBytes(6).toString('hex')}.draft`;
      const handle = await open(draft, 'wx', OWNER_ONLY);
      try {
        await handle.writeFile(text);
        const own = await handle.stat();
        if (status !== null) {
          // Whoever reads the file could not read it any more else: the broker, or the group that it is for.
          if (own.uid !== status.uid || own.gid !== status.gid) await handle.chown(status.uid, status.gid);
          await handle.chmod(status.mode & MODE_BITS);
        }
        await handle.sync();
        await removeForgotten(target, own.mtimeMs);
      } finally {
        await handle.close();
      }
      return new TextFileReplacement(file, target, draft);
    } catch (error) {
      if (draft !== undefined) remove(draft);
      throw error instanceof FileNotWritten ? error : notWritten(file, error);
    }
  }

  place(): void {
    try {
      renameSync(this.#draft, this.#target);
    } catch (error) {
      throw notWritten(this.#file, error);
    }
    this.#isPlaced = true;
  }

  async sync(): Promise<void> {
    try {
      const directory = await open(dirname(this.#target), 'r');
      try {
        await directory.sync();
      } finally {
        await directory.close();
      }
    } catch (error) {
      throw notWritten(this.#file, error, 'has been changed, but the disk does not take it: a crash may undo it');
    }
  }

  discard(): void {
    if (!this.#isPlaced) remove(this.#draft);
  }
}

function draftStem(target: string): string {
  return join(dirname(target), `.${basename(target)}.`);
}

/** @param nowMs by the clock of the file system, which may be another machine's */
async function removeForgotten(target: string, nowMs: number): Promise<void> {
  const stem = draftStem(target);
  try {
    for (const name of await readdir(dirname(target))) {
      const path = join(dirname(target), name);
      if (!path.startsWith(stem) || !DRAFT_NAME.test(path.slice(stem.length))) continue;
      if (nowMs - (await lstat(path)).mtimeMs > FORGOTTEN_AFTER_MS) remove(path);
    }
  } catch {
    // Who may not list the directory leaves them to somebody who may.
  }
}

function remove(draft: string): void {
  try {
    rmSync(draft, { force: true });
  } catch {
    // It lies beside the file, for the same eyes, and is in nobody's way.
  }
}

async function statusOf(file: string) {
  try {
    return await stat(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function notWritten(file: string, error: unknown, what = 'cannot be written'): FileNotWritten {
  const { code = String(error) } = error as NodeJS.ErrnoException;
  const hint =
    code === 'EROFS'
      ? ': its file system is mounted to be read only'
      : code === 'EBUSY'
        ? ': a file that is mounted by itself cannot be replaced, mount its directory'
        : '';
  return new FileNotWritten(`${file} ${what} (${code})${hint}`, !PASSING.includes(code), { cause: error });
}
