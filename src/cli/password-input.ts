/**
 * Reads a password: typed twice and not shown on a terminal, one line from anything else. What it shows goes to another
 * stream than the result of the command, so that this can be redirected.
 */
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

export type PasswordInput = Readable & { readonly isTTY?: boolean; setRawMode?(isRaw: boolean): unknown };

export interface PromptOutput {
  write(text: string): unknown;
}

/** Far above any password: a wrong file is refused instead of read. */
const MAXIMUM_CHARACTERS = 4096;

const END_OF_INPUT = '\u0004';
const INTERRUPT = '\u0003';
const ERASE = new Set(['\b', '\u007f']);

/** Why there is none. */
export class NoPassword {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

export async function readPassword(input: PasswordInput, prompt: PromptOutput): Promise<string | NoPassword> {
  if (input.isTTY !== true) return await readOnlyLine(input);
  input.setRawMode?.(true);
  const keys = keysOf(input);
  try {
    const first = await readTyped(keys, prompt, 'Password: ');
    if (first instanceof NoPassword) return first;
    const second = await readTyped(keys, prompt, 'Again: ');
    return second instanceof NoPassword || first === second ? second : new NoPassword('the passwords are not the same');
  } finally {
    input.setRawMode?.(false);
    await keys.return();
  }
}

async function readOnlyLine(input: PasswordInput): Promise<string | NoPassword> {
  const decoder = new StringDecoder('utf8');
  let text = '';
  for await (const chunk of input) {
    text += decoder.write(chunk as Buffer);
    if (text.length > MAXIMUM_CHARACTERS) return new NoPassword('the password is too long');
  }
  const password = text.replace(/\r?\n$/, '');
  return /[\r\n]/.test(password) ? new NoPassword('the password is more than one line') : password;
}

async function* keysOf(input: PasswordInput): AsyncGenerator<string, void, void> {
  const decoder = new StringDecoder('utf8');
  for await (const chunk of input) yield* decoder.write(chunk as Buffer);
}

async function readTyped(
  keys: AsyncGenerator<string, void, void>,
  prompt: PromptOutput,
  question: string,
): Promise<string | NoPassword> {
  prompt.write(question);
  let password = '';
  for (;;) {
    const { value: key, done } = await keys.next();
    if (done || key === INTERRUPT || key === END_OF_INPUT) {
      prompt.write('\n');
      return new NoPassword('no password was given');
    }
    if (key === '\r' || key === '\n') break;
    if (ERASE.has(key)) password = [...password].slice(0, -1).join('');
    else if (password.length < MAXIMUM_CHARACTERS) password += key;
  }
  prompt.write('\n');
  return password;
}
