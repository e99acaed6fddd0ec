/** A line of a case file, with the indented lines that continue it, and where it stands. */

export class CaseError extends Error {}

export class CaseSource {
  readonly file: string;
  readonly firstLine: number;
  readonly text: string;

  constructor(file: string, firstLine: number, text: string) {
    this.file = file;
    this.firstLine = firstLine;
    this.text = text;
  }

  /** `file:line:column` of a character. */
  placeOf(index: number): string {
    const before = this.text.slice(0, index).split('\n');
    return `${this.file}:${this.firstLine + before.length - 1}:${(before.at(-1)?.length ?? 0) + 1}`;
  }

  errorAt(index: number, message: string): CaseError {
    return new CaseError(`${this.placeOf(index)} ${message}`);
  }
}

/** The lines of a file without its empty ones and comments (`#`). */
export function sourcesOf(file: string, text: string): CaseSource[] {
  const sources: CaseSource[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const previous = sources.at(-1);
    const follows = previous !== undefined && previous.firstLine + previous.text.split('\n').length === index + 1;
    if (/^\s/.test(line) && follows) {
      sources[sources.length - 1] = new CaseSource(file, previous.firstLine, `${previous.text}\n${line}`);
    } else sources.push(new CaseSource(file, index + 1, line));
  }
  return sources;
}
