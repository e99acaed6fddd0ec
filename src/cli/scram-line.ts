/** `millrace scram USER`: a line for the file of `auth.scram`, made from a password that is read and forgotten. */
import { randomBytes } from 'node:crypto';
import { saslprep, UnpreparedText } from '../auth/saslprep.js';
import { DEFAULT_ITERATIONS, deriveCredential, MINIMUM_ITERATIONS, SALT_BYTES } from '../auth/scram-credential.js';
import { describeUnusableUsername, formatCredentialLine } from '../auth/scram-credentials-file.js';
import { SCRAM_MECHANISMS } from '../auth/scram-mechanism.js';
import { NoPassword, type PasswordInput, type PromptOutput, readPassword } from './password-input.js';

/** Some ten seconds on a desktop computer: what is above would keep every client from connecting in time. */
const MAXIMUM_ITERATIONS = 10_000_000;

/** Why there is no line. */
export class NoScramLine {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** What was typed; undefined for the default. */
export interface ScramWishes {
  readonly mechanism: string | undefined;
  readonly iterations: string | undefined;
}

export async function makeScramLine(
  user: string,
  { mechanism: mechanismText, iterations: iterationsText }: ScramWishes,
  input: PasswordInput,
  prompt: PromptOutput,
): Promise<string | NoScramLine> {
  const mechanism = SCRAM_MECHANISMS.find(({ name }) => name === (mechanismText ?? SCRAM_MECHANISMS[0]?.name));
  if (mechanism === undefined) {
    const names = SCRAM_MECHANISMS.map(({ name }) => name).join(' or ');
    return new NoScramLine(`flag --mechanism: expected ${names}, found "${mechanismText}"`);
  }
  const iterations = iterationsText === undefined ? DEFAULT_ITERATIONS : parseIterations(iterationsText);
  if (iterations === undefined) {
    const range = `from ${MINIMUM_ITERATIONS} to ${MAXIMUM_ITERATIONS}`;
    return new NoScramLine(`flag --iterations: expected a whole number ${range}, found "${iterationsText}"`);
  }
  const username = saslprep(user, 'stored');
  if (username instanceof UnpreparedText) return new NoScramLine(`the user name ${username.reason}`);
  const unusable = describeUnusableUsername(username);
  if (unusable !== undefined) return new NoScramLine(`the user name ${unusable}`);
  const typed = await readPassword(input, prompt);
  if (typed instanceof NoPassword) return new NoScramLine(typed.reason);
  const password = saslprep(typed, 'stored');
  if (password instanceof UnpreparedText) return new NoScramLine(`the password ${password.reason}`);
  return formatCredentialLine(username, deriveCredential(mechanism, password, randomBytes(SALT_BYTES), iterations));
}

function parseIterations(text: string): number | undefined {
  const iterations = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return iterations >= MINIMUM_ITERATIONS && iterations <= MAXIMUM_ITERATIONS ? iterations : undefined;
}
