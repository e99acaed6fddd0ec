/**
 * Changes files that people edit by hand, too, one change after the other. Each is made on what the file says by then, and looks
 * again before it takes the file's place: what somebody has written in between is not lost.
 *
 *   read ─▶ edit ─▶ draft on disk ─▶ read: the same? ─▶ rename, take effect ─▶ sync the directory
 *    ▲                                      │ no
 *    └──────────────────────────────────────┘
 */
import { FileNotWritten, TooManyChanges } from './administration-errors.js';
import type { EditedFile, FileDraft } from './edited-file.js';

/** What a file is to say. */
export interface EditedText {
  readonly text: string;
  /** Puts in force what it says, in the same turn of the event loop. */
  takeEffect(): void;
}

export interface FileEdit {
  readonly file: EditedFile;
  /**
   * May be called several times.
   * @returns null to leave the file as it is
   * @throws whatever there is against it: nothing is changed then
   */
  edit(text: string): EditedText | null;
}

/** Each takes some syncs of the disk. */
const MOST_WAITING = 100;

/** Whoever writes the file so often is a program, and does not take care of others. */
const MOST_ATTEMPTS = 5;

interface Prepared {
  readonly file: EditedFile;
  readonly before: string;
  readonly edited: EditedText;
  readonly draft: FileDraft;
}

export class FileChanges {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /**
   * Changes all of the files, or none: as long as they can be replaced at all.
   * @returns whether any is another now, when that is on the disk
   * @throws FileUnusable @throws FileNotWritten @throws TooManyChanges @throws what the edits throw
   */
  async apply(edits: readonly FileEdit[]): Promise<boolean> {
    if (this.#waiting === MOST_WAITING)
      throw new TooManyChanges(`${MOST_WAITING} changes are waiting: try again later`);
    this.#waiting++;
    const turn = this.#last.then(() => applyNow(edits));
    this.#last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.#waiting--;
    }
  }
}

async function applyNow(edits: readonly FileEdit[]): Promise<boolean> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const prepared: Prepared[] = [];
    try {
      for (const { file, edit } of edits) {
        const before = file.read();
        const edited = edit(before);
        if (edited !== null && edited.text !== before) {
          prepared.push({ file, before, edited, draft: await file.prepare(edited.text) });
        }
      }
      if (prepared.length === 0) return false;
      if (prepared.some(({ file, before }) => !file.says(before))) continue;
      placeAll(prepared);
      for (const { draft } of prepared) await draft.sync();
      return true;
    } finally {
      for (const { draft } of prepared) draft.discard();
    }
  }
  const paths = edits.map(({ file }) => file.path).join(' and ');
  throw new FileNotWritten(`${paths}: somebody else writes it again and again`, false);
}

function placeAll(prepared: readonly Prepared[]): void {
  const placed: string[] = [];
  for (const { file, edited, draft } of prepared) {
    try {
      draft.place();
    } catch (error) {
      if (!(error instanceof FileNotWritten) || placed.length === 0) throw error;
      throw new FileNotWritten(`${error.message}; ${placed.join(' and ')} has been changed`, error.isLasting);
    }
    edited.takeEffect();
    placed.push(file.path);
  }
}
