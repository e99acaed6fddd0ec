/** What changes when a file does: large ones need not be read to see that they have not. */
import { statSync } from 'node:fs';

/** Equal as long as there is the same file, and nobody has written to it. */
export function fileState(path: string): string {
  try {
    const { ino, dev, size, mtimeMs, ctimeMs } = statSync(path);
    return `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}
