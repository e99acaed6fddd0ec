/** A file of users or roles in the file system. */
import { existsSync } from 'node:fs';
import { FileNotWritten, FileUnusable } from '../auth/administration/administration-errors.js';
import type { EditedFile, FileDraft } from '../auth/administration/edited-file.js';
import { formatByteSize } from './byte-size.js';
import { fileState } from './file-state.js';
import { readTextFile, UnreadableFile } from './text-file.js';
import { TextFileReplacement } from './text-file-replacement.js';

export class EditedTextFile implements EditedFile {
  readonly path: string;
  readonly #maximumBytes: number;

  readonly #mayBeMissing: boolean;

  /** @param mayBeMissing it is empty then, and made with the first change */
  constructor(path: string, maximumBytes: number, mayBeMissing = false) {
    this.path = path;
    this.#maximumBytes = maximumBytes;
    this.#mayBeMissing = mayBeMissing;
  }

  read(): string {
    if (this.#mayBeMissing && !existsSync(this.path)) return '';
    const text = readTextFile(this.path, this.#maximumBytes);
    if (text instanceof UnreadableFile) throw new FileUnusable(`${this.path}: ${text.reason}`);
    return text;
  }

  says(text: string): boolean {
    const state = fileState(this.path);
    return this.read() === text && fileState(this.path) === state;
  }

  async prepare(text: string): Promise<FileDraft> {
    if (Buffer.byteLength(text) > this.#maximumBytes) {
      // The next start could not read it.
      throw new FileNotWritten(`${this.path} would be larger than ${formatByteSize(this.#maximumBytes)}`, true);
    }
    return await TextFileReplacement.prepare(this.path, text);
  }
}
