/** A file that people edit by hand, too, without a file system: what somebody else does to it in between is the test's. */
import { FileNotWritten } from '../../src/auth/administration/administration-errors.js';
import type { EditedFile, FileDraft } from '../../src/auth/administration/edited-file.js';

export class TextInMemory implements EditedFile {
  readonly path: string;
  text: string;
  /** What was done to it, in order. */
  readonly steps: string[] = [];
  /** Called while a draft is written. */
  onPrepare: () => void | Promise<void> = () => {};
  /** The step that fails. */
  failing: 'prepare' | 'place' | 'sync' | null = null;
  /** That lie beside the file. */
  drafts = 0;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }

  read(): string {
    return this.text;
  }

  says(text: string): boolean {
    return this.text === text;
  }

  async prepare(text: string): Promise<FileDraft> {
    this.#step('prepare');
    this.drafts++;
    await this.onPrepare();
    let isThere = true;
    const remove = (): void => {
      if (isThere) this.drafts--;
      isThere = false;
    };
    return {
      place: () => {
        this.#step('place');
        this.text = text;
        remove();
      },
      sync: async () => this.#step('sync'),
      discard: remove,
    };
  }

  #step(step: 'prepare' | 'place' | 'sync'): void {
    if (this.failing === step) throw new FileNotWritten(`${this.path} cannot be written (EROFS)`, true);
    this.steps.push(step);
  }
}
