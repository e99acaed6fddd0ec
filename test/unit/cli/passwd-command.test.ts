import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parsePasswordFile } from '../../../src/auth/password-file.js';
import {
  changePassword,
  PasswordNotWritten,
  PasswordRefused,
  type PasswordWishes,
} from '../../../src/cli/passwd-command.js';

let directory = '';
let file = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-passwd-'));
  file = join(directory, 'passwords');
});
afterEach(() => {
  chmodSync(directory, 0o700);
  rmSync(directory, { recursive: true });
});

function change(username: string, typed: string, wishes: Partial<PasswordWishes> = {}) {
  const input = new PassThrough();
  input.end(typed);
  const all = { hash: undefined, iterations: undefined, isDeleting: false, ...wishes };
  return changePassword(file, username, all, input, { write: () => true });
}

async function isPassword(username: string, password: string): Promise<boolean> {
  const { users, problems } = parsePasswordFile(readFileSync(file, 'utf8'));
  expect(problems).toEqual([]);
  return (await users.get(username)?.verify(Buffer.from(password))) ?? false;
}

describe('millrace passwd', () => {
  test('adds, changes and deletes users, and leaves the rest of the file and its mode as they are', async () => {
    expect(await change('alice', 'one\n')).toBe(`added alice in ${file}`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    chmodSync(file, 0o640);
    writeFileSync(file, `# ours\n${readFileSync(file, 'utf8')}`);
    expect(await change('__proto__', 'two\n')).toBe(`added __proto__ in ${file}`);
    expect(await change('alice', 'three')).toBe(`changed the password of alice in ${file}`);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(readFileSync(file, 'utf8')).toMatch(/^# ours\nalice:\$7\$1000\$\S+\n__proto__:\$7\$1000\$\S+\n$/);
    expect(await isPassword('alice', 'three')).toBe(true);
    expect(await isPassword('__proto__', 'two')).toBe(true);
    expect(await change('alice', '', { isDeleting: true })).toBe(`deleted alice from ${file}`);
    expect(readFileSync(file, 'utf8')).toMatch(/^# ours\n__proto__:\S+\n$/);
    expect(readdirSync(directory)).toEqual(['passwords']);
  });

  test('hashes as it is told to', async () => {
    await change('a', 'p', { iterations: '101' });
    await change('b', 'p', { hash: 'argon2id' });
    expect(readFileSync(file, 'utf8')).toMatch(/^a:\$7\$101\$\S+\nb:\$argon2id\$v=19\$m=47104,t=1,p=1\$\S+\n$/);
    expect(await isPassword('b', 'p')).toBe(true);
  });

  test('replaces what a link leads to, and keeps the link', async () => {
    const real = join(directory, 'real');
    writeFileSync(real, '');
    symlinkSync('real', file);
    await change('a', 'p');
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(readFileSync(real, 'utf8')).toMatch(/^a:/);
  });

  test.each<[string, string, Partial<PasswordWishes>, string]>([
    ['', 'p', {}, 'the user name is empty'],
    ['a:b', 'p', {}, 'the user name must not contain :, which ends it'],
    ['#a', 'p', {}, 'the user name must not begin with #, which begins a comment'],
    ['a', '\n', {}, 'the password is empty'],
    ['a', 'x\ny\n', {}, 'the password is more than one line'],
    ['a', 'p', { hash: 'md5' }, 'flag --hash: expected sha512-pbkdf2 or argon2id, found "md5"'],
    ['a', 'p', { iterations: '0' }, 'flag --iterations: expected a whole number from 1 to 10000000, found "0"'],
    ['a', 'p', { hash: 'argon2id', iterations: '5' }, 'flag --iterations is for sha512-pbkdf2'],
    ['a', 'p', { isDeleting: true, hash: 'argon2id' }, 'flag --delete and flag --hash exclude each other'],
  ])('refuses user %j with %j and %j', async (username, typed, wishes, reason) => {
    expect(await change(username, typed, wishes)).toEqual(new PasswordRefused(reason));
    expect(readdirSync(directory)).toEqual([]);
  });

  test('refuses to delete whom it does not find, and to touch a file that is none', async () => {
    writeFileSync(file, '');
    const nobody = await change('a', '', { isDeleting: true });
    expect(nobody).toEqual(new PasswordRefused(`there is no user "a" in ${file}`));
    writeFileSync(file, 'bob:secret\n');
    const reason = 'expected a hash ($7$…, $6$… or $argon2id$…), as millrace passwd and mosquitto_passwd write it';
    expect(await change('a', 'p')).toEqual(new PasswordRefused(`${file}:1:5: ${reason}`));
    expect(readFileSync(file, 'utf8')).toBe('bob:secret\n');
  });

  test('keeps what somebody else has written while the password was typed', async () => {
    writeFileSync(file, '');
    await change('bob', 'p');
    const input = new PassThrough();
    const changing = changePassword(
      file,
      'alice',
      { hash: undefined, iterations: undefined, isDeleting: false },
      input,
      { write: () => true },
    );
    writeFileSync(file, `# by hand\n${readFileSync(file, 'utf8')}`);
    input.end('one\n');
    expect(await changing).toBe(`added alice in ${file}`);
    expect(readFileSync(file, 'utf8')).toMatch(/^# by hand\nbob:\S+\nalice:\S+\n$/);
  });

  test('leaves everything as it was if it cannot write', async () => {
    file = join(directory, 'no', 'passwords');
    expect(await change('a', 'p')).toEqual(new PasswordNotWritten(`${file} cannot be written (ENOENT)`));
  });
});
