import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { deriveCredential } from '../../../src/auth/scram-credential.js';
import { parseCredentialsFile } from '../../../src/auth/scram-credentials-file.js';
import { makeScramLine, NoScramLine } from '../../../src/cli/scram-line.js';

/** What a terminal or a pipe gives to the program. */
class Keyboard extends PassThrough {
  readonly isTTY: boolean;
  readonly rawModes: boolean[] = [];

  constructor(isTTY: boolean, ...chunks: (string | Buffer)[]) {
    super();
    this.isTTY = isTTY;
    for (const chunk of chunks) this.write(chunk);
    if (!isTTY) this.end();
  }

  setRawMode(isRaw: boolean): void {
    this.rawModes.push(isRaw);
  }
}

async function make(user: string, keyboard: Keyboard, iterations?: string, mechanism?: string) {
  let shown = '';
  const line = await makeScramLine(user, { mechanism, iterations }, keyboard, { write: (text) => (shown += text) });
  return { line, shown };
}

/** The password that the line was made of is this one. */
function expectPassword(line: string | NoScramLine, user: string, password: string): void {
  const { users, problems } = parseCredentialsFile(String(line));
  expect(problems).toEqual([]);
  const credential = [...users.values()][0]?.get(user);
  expect(credential).toBeDefined();
  if (credential !== undefined)
    expect(credential).toEqual(
      deriveCredential(credential.mechanism, password, credential.salt, credential.iterations),
    );
}

describe('millrace scram', () => {
  test.each([
    ['pencil\n', 'pencil'],
    ['pencil\r\n', 'pencil'],
    ['pencil', 'pencil'],
    [' two words \n', ' two words '],
    ['I\u00adX\n', 'IX'],
  ])('makes a line of %j from a pipe', async (typed, password) => {
    const { line, shown } = await make('station-7', new Keyboard(false, typed));
    expect(line).toMatch(/^station-7:SCRAM-SHA-256\$4096:/);
    expect(shown).toBe('');
    expectPassword(line, 'station-7', password);
  });

  test('makes one for SCRAM-SHA-512, and for nothing else', async () => {
    const { line } = await make('u', new Keyboard(false, 'p'), undefined, 'SCRAM-SHA-512');
    expect(line).toMatch(/^u:SCRAM-SHA-512\$4096:/);
    expectPassword(line, 'u', 'p');
    const refused = await make('u', new Keyboard(false, 'p'), undefined, 'SCRAM-SHA-1');
    const reason = 'flag --mechanism: expected SCRAM-SHA-256 or SCRAM-SHA-512, found "SCRAM-SHA-1"';
    expect(refused.line).toEqual(new NoScramLine(reason));
  });

  test('takes another salt each time', async () => {
    const [one, other] = [await make('u', new Keyboard(false, 'p')), await make('u', new Keyboard(false, 'p'))];
    expect(one.line).not.toBe(other.line);
  });

  test('asks twice on a terminal and shows nothing of the password', async () => {
    const euro = Buffer.from('€');
    const keyboard = new Keyboard(true, 'penx\u007f', 'cil', euro.subarray(0, 1), euro.subarray(1), '\rpencil€\r');
    const { line, shown } = await make('u', keyboard, '5000');
    expect(shown).toBe('Password: \nAgain: \n');
    expect(keyboard.rawModes).toEqual([true, false]);
    expect(line).toContain('$5000:');
    expectPassword(line, 'u', 'pencil€');
  });

  test.each([
    ['u', new Keyboard(true, 'one\rother\r'), 'the passwords are not the same'],
    ['u', new Keyboard(true, 'one\u0003'), 'no password was given'],
    ['u', new Keyboard(false, 'one\ntwo\n'), 'the password is more than one line'],
    ['u', new Keyboard(false, 'x'.repeat(5000)), 'the password is too long'],
    ['u', new Keyboard(false, '\n'), 'the password is empty'],
    ['u', new Keyboard(false, 'a\u0007b'), 'the password must not contain U+0007 (RFC 4013)'],
    ['#u', new Keyboard(false, 'p'), 'the user name must not begin with #, which begins a comment'],
    ['u ', new Keyboard(false, 'p'), 'the user name must not begin or end with a blank'],
    ['', new Keyboard(false, 'p'), 'the user name is empty'],
    ['a\nb', new Keyboard(false, 'p'), 'the user name must not contain U+000A (RFC 4013)'],
  ])('for user %j refuses: %#', async (user, keyboard, reason) => {
    expect((await make(user, keyboard)).line).toEqual(new NoScramLine(reason));
    if (keyboard.rawModes.length > 0) expect(keyboard.rawModes.at(-1)).toBe(false);
  });

  test.each(['0', '4095', '10000001', 'many', '1e6', '-5000'])('refuses %s iterations', async (iterations) => {
    const { line } = await make('u', new Keyboard(false, 'p'), iterations);
    const expected = `flag --iterations: expected a whole number from 4096 to 10000000, found "${iterations}"`;
    expect(line).toEqual(new NoScramLine(expected));
  });
});
