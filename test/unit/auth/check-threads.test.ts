import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { argon2Path } from '../../../src/auth/argon2-library.js';
import { checkInThread } from '../../../src/auth/check-threads.js';
import { hashPassword, InvalidHash, type PasswordHash, parsePasswordHash } from '../../../src/auth/password-hash.js';
import { createTemporaryDirectory } from '../../support/temporary-directory.js';

async function hashOf(
  password: string,
  name: 'sha512-pbkdf2' | 'argon2id',
  iterations?: number,
): Promise<PasswordHash> {
  const hash = parsePasswordHash((await hashPassword(password, name, iterations)) ?? '');
  if (hash instanceof InvalidHash) throw new Error(hash.message);
  return hash;
}

/** Of this process: a file each, in which the nice value is the 17th field behind the name in parentheses. */
const niceValues = (): number[] =>
  readdirSync('/proc/self/task').map((id) => {
    const fields = readFileSync(`/proc/self/task/${id}/stat`, 'utf8');
    return Number(fields.slice(fields.lastIndexOf(')') + 2).split(' ')[16]);
  });

describe('checks in threads of their own', () => {
  it.each([
    ['argon2id', undefined],
    ['sha512-pbkdf2', 10_001],
  ] as const)('tell right passwords from wrong ones, many at once: %s', async (name, iterations) => {
    const hash = await hashOf('secret', name, iterations);
    const passwords = ['secret', 'Secret', '', 'secret', 'secre', 'secret'].map((text) => Buffer.from(text));
    expect(await Promise.all(passwords.map((password) => hash.verify(password)))).toEqual([
      true,
      false,
      false,
      true,
      false,
      true,
    ]);
    expect(await hash.standIn().verify(Buffer.from('secret'))).toBe(false);
  });

  it('find bytes that are no text wrong', async () => {
    const password = Buffer.from([0xff, 0x00, 0x80, 0xc3]);
    const hash = await hashOf('x', 'argon2id');
    expect(await hash.verify(password)).toBe(false);
  });

  it('have less of the processor than the event loop has', { skip: process.platform !== 'linux' }, async () => {
    await (await hashOf('secret', 'argon2id')).verify(Buffer.from('secret'));
    expect(niceValues()).toContain(19);
    expect(getPriority(process.pid)).toBe(0);
  });

  it('end with an error where a thread does, and others go on', async () => {
    const broken = checkInThread({ kind: 'argon2', library: argon2Path(), encoded: 'none', password: randomBytes(4) });
    await expect(broken).rejects.toThrow();
    expect(await (await hashOf('secret', 'argon2id')).verify(Buffer.from('secret'))).toBe(true);
  });

  it.each([
    [
      'while it checks',
      'exports.verifySync = () => process.exit(3);',
      { status: 'rejected', reason: expect.objectContaining({ message: expect.stringContaining('code 3') }) },
    ],
    [
      'afterwards',
      'exports.verifySync = () => { setImmediate(() => process.exit(3)); return true; };',
      { status: 'fulfilled', value: true },
    ],
  ])('are not waited for when threads end without an error, %s', async (_, program, expected) => {
    const library = join(await createTemporaryDirectory(), 'library.cjs');
    await writeFile(library, program);
    const task = { kind: 'argon2', library, encoded: '', password: randomBytes(4) } as const;
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => checkInThread(task)));
    expect(outcomes).toEqual(Array(8).fill(expected));
    const hash = await hashOf('secret', 'argon2id');
    // Who meets one that is just ending is told so.
    await vi.waitFor(async () => expect(await hash.verify(Buffer.from('secret'))).toBe(true), { timeout: 5000 });
  });
});
