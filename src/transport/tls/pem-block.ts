/** The parts of a PEM file (RFC 7468), each with the line on which it begins. */

export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY` … */
  readonly label: string;
  /** From 1. */
  readonly line: number;
  /** With its first and last line. */
  readonly text: string;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,64})-----[\s\S]*?-----END \1-----/g;

/** What is not whole is left out. */
export function pemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let line = 1;
  let seen = 0;
  for (const match of text.matchAll(BLOCK)) {
    line += countLines(text, seen, match.index);
    seen = match.index;
    blocks.push({ label: match[1] as string, line, text: `${match[0]}\n` });
  }
  return blocks;
}

function countLines(text: string, start: number, end: number): number {
  let lines = 0;
  for (let at = text.indexOf('\n', start); at !== -1 && at < end; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}
