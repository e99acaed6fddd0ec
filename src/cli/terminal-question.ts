/** Asks whoever sits at the terminal, and takes nothing but a whole `yes` for an answer. */
import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';

/** @returns null if nobody sits there */
export function askAtTerminal(
  question: string,
  input: Readable & { readonly isTTY?: boolean },
  output: Writable,
): Promise<boolean> | null {
  return input.isTTY === true ? ask(question, input, output) : null;
}

async function ask(question: string, input: Readable, output: Writable): Promise<boolean> {
  const terminal = createInterface({ input, output });
  try {
    // Without an answer the input has ended, or was interrupted.
    const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
    const answer = await Promise.race([terminal.question(question), ended]);
    return answer.trim().toLowerCase() === 'yes';
  } finally {
    terminal.close();
  }
}
