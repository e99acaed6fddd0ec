/** A text file that people edit by hand, too, as those see it who change it for an administrator. */
export interface EditedFile {
  /** As the configuration has it; for people. */
  readonly path: string;
  /** What it says now. @throws FileUnusable */
  read(): string;
  /** Whether it says that now: also not what has taken its place while it was read. @throws FileUnusable */
  says(text: string): boolean;
  /** Writes to the disk, beside the file, what is to take its place. @throws FileNotWritten */
  prepare(text: string): Promise<FileDraft>;
}

export interface FileDraft {
  /** Puts it in the place of the file, at once and as a whole. @throws FileNotWritten; the file is as it was then */
  place(): void;
  /** Resolves when no crash can undo that. @throws FileNotWritten */
  sync(): Promise<void>;
  /** Removes what has not been put into place; never fails. */
  discard(): void;
}
