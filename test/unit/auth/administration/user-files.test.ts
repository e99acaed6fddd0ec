/** The texts of the files of users, before and after a change. */
import { describe, expect, it } from 'vitest';
import { FileUnusable, InvalidPassword } from '../../../../src/auth/administration/administration-errors.js';
import { editPasswords } from '../../../../src/auth/administration/password-user-file.js';
import { ScramUserFile } from '../../../../src/auth/administration/scram-user-file.js';
import { hashByPbkdf2 } from '../../../../src/auth/password-hash.js';
import { deriveCredential } from '../../../../src/auth/scram-credential.js';
import { editCredentialsFile } from '../../../../src/auth/scram-credentials-file.js';
import { SCRAM_SHA_256, SCRAM_SHA_512 } from '../../../../src/auth/scram-mechanism.js';
import { TextInMemory } from '../../../support/text-in-memory.js';

const HASH = await hashByPbkdf2('p', 1);
const OTHER = await hashByPbkdf2('q', 1);

describe('a password file', () => {
  const text = `# ours\r\n\nbob:${HASH}\r\nno colon\n# alice:${HASH}\n`;

  it('keeps comments, other lines and their ends', () => {
    expect(editPasswords('f', text, 'bob', OTHER)).toMatchObject({ text: text.replace(HASH, OTHER), isKnown: true });
    expect(editPasswords('f', text, 'alice', OTHER)).toMatchObject({ text: `${text}alice:${OTHER}\n`, isKnown: false });
    expect(editPasswords('f', text, 'bob', null).text).toBe(text.replace(`bob:${HASH}\r\n`, ''));
    expect(editPasswords('f', text, 'carol', null)).toMatchObject({ text, isKnown: false });
  });

  it('with something wrong in it is not changed, and says where', () => {
    const wrong = `${text}carol:hunter2\n`;
    expect(() => editPasswords('f', wrong, 'bob', null)).toThrow(FileUnusable);
    expect(() => editPasswords('f', wrong, 'bob', null)).toThrow(/^f:6:7: expected a hash/);
    expect(() => editPasswords('f', wrong, 'bob', null)).not.toThrow(/hunter2/);
    expect(editPasswords('f', wrong, 'carol', HASH).text).toBe(`${text}carol:${HASH}\n`);
  });

  it('that has a user twice does not lose one of the lines and keep the other', () => {
    const twice = `bob:${HASH}\nbob:${OTHER}\n`;
    expect(() => editPasswords('f', twice, 'bob', null)).toThrow(/^f:2:1: user "bob" is there twice/);
    expect(() => editPasswords('f', twice, 'bob', HASH)).toThrow(/^f:2:1: user "bob" is there twice/);
  });
});

describe('a file of SCRAM users', () => {
  const credential = (mechanism = SCRAM_SHA_256, password = 'p') =>
    deriveCredential(mechanism, password, Buffer.alloc(16, password), 4096);
  const [sha256, sha512] = [credential(), credential(SCRAM_SHA_512)];
  const text = `# ours\nbob:${sha256.text}\n\nbob:x:${sha256.text}\r\nbob:${sha512.text}\n`;

  it('keeps comments and other lines', () => {
    const next = credential(SCRAM_SHA_512, 'q');
    expect(editCredentialsFile(text, 'bob', [next]).text).toBe(`# ours\nbob:${next.text}\n\nbob:x:${sha256.text}\r\n`);
    expect(editCredentialsFile(text, 'bob', []).text).toBe(`# ours\n\nbob:x:${sha256.text}\r\n`);
    expect(editCredentialsFile(text, 'bob:x', [sha512]).text).toBe(
      text.replace(`bob:x:${sha256.text}`, `bob:x:${sha512.text}`),
    );
    expect(editCredentialsFile('# end', 'eve', [sha256])).toEqual({
      text: `# end\neve:${sha256.text}\n`,
      isKnown: false,
    });
  });

  function userFile(known: readonly string[]): ScramUserFile {
    const users = { version: 0, usernames: () => [], credentialsOf: () => known };
    return new ScramUserFile(new TextInMemory('f', text), users, () => {});
  }

  it('gets a line for each mechanism that the user has, with a salt of its own', async () => {
    const made = await userFile(['SCRAM-SHA-512', 'SCRAM-SHA-256']).derive('bob', 'p');
    expect(made.map(({ mechanism }) => mechanism.name)).toEqual(['SCRAM-SHA-256', 'SCRAM-SHA-512']);
    const [again] = await userFile([]).derive('eve', 'p');
    expect(again?.mechanism.name).toBe('SCRAM-SHA-256');
    expect(again?.text).not.toBe(made[0]?.text);
    expect(again).toEqual(deriveCredential(SCRAM_SHA_256, 'p', again?.salt as Buffer, 4096));
  });

  it('takes names and passwords only as SASLprep has them', async () => {
    const file = userFile([]);
    expect(file.describeUnusable('\u2168')).toBe('is not in the form that SASLprep (RFC 4013) gives it: "IX"');
    expect(file.describeUnusable('#a')).toMatch(/must not begin with #/);
    expect(file.describeUnusable('a\nb')).toBeDefined();
    await expect(file.derive('eve', 'a\u0007')).rejects.toThrow(InvalidPassword);
  });

  it('with something wrong in it is not changed', () => {
    const wrong = `${text}eve:hunter2\n`;
    expect(() => userFile([]).edit(wrong, 'bob', null)).toThrow(/^f:6:1: expected USER:/);
    expect(() => userFile([]).edit(wrong, 'bob', null)).not.toThrow(/hunter2/);
  });
});
