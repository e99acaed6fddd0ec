import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeUnusableName, editPasswordFile, parsePasswordFile } from '../../../src/auth/password-file.js';
import { hashByArgon2, hashByPbkdf2, InvalidHash, parsePasswordHash } from '../../../src/auth/password-hash.js';

const SALT = Buffer.alloc(12, 1).toString('base64');
const HASH = Buffer.alloc(64, 2).toString('base64');
const PBKDF2 = `$7$101$${SALT}$${HASH}`;
const ARGON2 = `$argon2id$v=19$m=64,t=1,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;

/** Written by mosquitto_passwd 2.0.11 for the password `secret`. */
const OF_MOSQUITTO =
  '$7$101$V8fpOA44l6fv+30z$NBq69IU5OrChU10QDORM9wiqBh4sKYthE0flsrQN8DqLnWleHjZwOBFWOYc9M++xW0klm1Ab5DpHSHu+/3oUsQ==';

async function isPassword(hashText: string, password: string): Promise<boolean> {
  const hash = parsePasswordHash(hashText);
  if (hash instanceof InvalidHash) throw hash;
  return await hash.verify(Buffer.from(password));
}

describe('a hash', () => {
  it('of $7$ that is made here is right for its password alone, and has the salt that mosquitto 2.0 reads', async () => {
    const text = await hashByPbkdf2('secret', 3);
    expect(text).toMatch(/^\$7\$3\$[A-Za-z0-9+/]{16}\$[A-Za-z0-9+/]{86}==$/);
    expect(await isPassword(text, 'secret')).toBe(true);
    expect(await isPassword(text, 'Secret')).toBe(false);
    expect(await isPassword(text, '')).toBe(false);
  });

  it('of $6$ is the SHA-512 of password and salt', async () => {
    const hash = createHash('sha512').update('secret').update(Buffer.alloc(12, 1)).digest('base64');
    expect(await isPassword(`$6$${SALT}$${hash}`, 'secret')).toBe(true);
    expect(await isPassword(`$6$${SALT}$${hash}`, 'secret ')).toBe(false);
  });

  it('of $argon2id$ is made with the parameters of mosquitto 2.1, and is right for its password alone', async () => {
    const text = String(await hashByArgon2('secret'));
    expect(text).toMatch(/^\$argon2id\$v=19\$m=47104,t=1,p=1\$[A-Za-z0-9+/]{86}\$[A-Za-z0-9+/]{86}$/);
    expect(await isPassword(text, 'secret')).toBe(true);
    expect(await isPassword(text, 'other')).toBe(false);
  });

  it.each([PBKDF2, `$6$${SALT}$${HASH}`, ARGON2])(
    'has a stand-in of the same cost that nothing is right for: %s',
    async (text) => {
      const hash = parsePasswordHash(text);
      if (hash instanceof InvalidHash) throw hash;
      const standIn = hash.standIn();
      expect(standIn.cost).toBe(hash.cost);
      expect(await standIn.verify(Buffer.from('secret'))).toBe(false);
    },
  );

  it.each<[string, number, string | RegExp]>([
    ['secret', 0, /expected a hash/],
    ['$5$x$y', 0, /expected a hash/],
    ['$7$101$x', 0, 'expected $7$ITERATIONS$SALT$HASH'],
    [`${PBKDF2}$`, 0, 'expected $7$ITERATIONS$SALT$HASH'],
    [PBKDF2.replace('101', '0'), 3, 'expected a number of iterations from 1 to 10000000'],
    [PBKDF2.replace('101', '99999999'), 3, 'expected a number of iterations from 1 to 10000000'],
    [PBKDF2.replace(SALT, 'AAAA'), 7, 'expected a salt of 12 or 64 bytes in base64'],
    [PBKDF2.replace(SALT, '*'), 7, 'expected a salt of 12 or 64 bytes in base64'],
    [PBKDF2.slice(0, -4), 24, 'expected a hash of 64 bytes in base64'],
    [`$6$${SALT}`, 0, 'expected $6$SALT$HASH'],
    [`$6$${SALT}$AAAA`, 20, 'expected a hash of 64 bytes in base64'],
    [ARGON2.replace('v=19', 'v=16'), 0, /expected \$argon2id/],
    [ARGON2.replace('m=64', 'm=4'), 17, 'expected m from 8 to 1048576 (KiB)'],
    [ARGON2.replace('m=64', 'm=4294967295'), 17, 'expected m from 8 to 1048576 (KiB)'],
    [ARGON2.replace('t=1', 't=1000'), 22, 'expected t from 1 to 32'],
    [ARGON2.replace('p=1', 'p=0'), 26, 'expected p from 1 to 16'],
    [ARGON2.replace('A'.repeat(22), 'AAAA'), 28, 'expected a salt of 8 to 64 bytes in base64'],
    [ARGON2.slice(0, -40), 51, 'expected a hash of 16 to 64 bytes in base64'],
  ])('%s is refused with its place', (text, offset, message) => {
    const refused = parsePasswordHash(text);
    expect(refused).toBeInstanceOf(InvalidHash);
    if (!(refused instanceof InvalidHash)) return;
    expect(refused.offset).toBe(offset);
    if (typeof message === 'string') expect(refused.message).toBe(message);
    else expect(refused.message).toMatch(message);
  });

  it('that mosquitto_passwd has written is right for its password', async () => {
    expect(await isPassword(OF_MOSQUITTO, 'secret')).toBe(true);
    expect(await isPassword(OF_MOSQUITTO, 'secret2')).toBe(false);
  });
});

describe('a password file', () => {
  it('is read as mosquitto reads it', () => {
    const text = `\ufeff# a comment\r\n\r\n  alice : ${PBKDF2} \r\nno colon\n__proto__:${PBKDF2}\nconstructor:${ARGON2}\nü€:${PBKDF2}\n`;
    const { users, problems } = parsePasswordFile(text);
    expect(problems).toEqual([]);
    expect([...users.keys()]).toEqual(['alice', '__proto__', 'constructor', 'ü€']);
    expect(users.get('alice')?.text).toBe(PBKDF2);
  });

  it('with wrong lines says where, and never what stands there', () => {
    const text = [
      '',
      `:${PBKDF2}`,
      'bob:',
      'carol:hunter2',
      `a:${PBKDF2}`,
      `a:${PBKDF2}`,
      `x:  $7$0$${SALT}$${HASH}`,
    ].join('\n');
    const { problems } = parsePasswordFile(text);
    expect(problems.map(({ line, column, message }) => `${line}:${column}: ${message}`)).toEqual([
      '2:1: the user name is empty',
      '3:5: there is no hash behind the user name',
      '4:7: expected a hash ($7$…, $6$… or $argon2id$…), as millrace passwd and mosquitto_passwd write it',
      '6:1: user "a" is there twice, first in line 5',
      '7:8: expected a number of iterations from 1 to 10000000',
    ]);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  it('with a user name that is too long for MQTT is refused', () => {
    const { problems } = parsePasswordFile(`${'x'.repeat(65_536)}:${PBKDF2}\n${'y'.repeat(65_535)}:${PBKDF2}`);
    expect(problems).toEqual([{ line: 1, column: 1, message: 'the user name is longer than 65535 bytes' }]);
  });

  it('never throws, whatever stands in it, and has places within it', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('\n', ':', '$7$', '$6$', '$argon2id$v=19$m=8,t=1,p=1$', PBKDF2, '\r\n', '#', ' '),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const text = pieces.join('');
        const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
        for (const { line, column } of parsePasswordFile(text).problems) {
          expect(line).toBeLessThanOrEqual(lines.length);
          expect(column).toBeGreaterThan(0);
          expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
        }
      }),
    );
  });
});

describe('editing a password file', () => {
  it('changes one line and leaves everything else as it is', () => {
    const text = `# ours\r\nalice:${ARGON2}\r\nbob:${PBKDF2}\r\n\r\n# end`;
    expect(editPasswordFile(text, 'alice', PBKDF2)).toBe(text.replace(ARGON2, PBKDF2));
    expect(editPasswordFile(text, 'bob', null)).toBe(`# ours\r\nalice:${ARGON2}\r\n\r\n# end`);
    expect(editPasswordFile(text, 'carol', PBKDF2)).toBe(`${text}\ncarol:${PBKDF2}\n`);
    expect(editPasswordFile(text, 'carol', null)).toBeNull();
    expect(editPasswordFile('', 'carol', PBKDF2)).toBe(`carol:${PBKDF2}\n`);
  });

  it('takes no name that another is read as at the beginning of the file', () => {
    expect(describeUnusableName('\ufeffalice')).toContain('U+FEFF');
    const text = `bob:${PBKDF2}\n\ufeffalice:${PBKDF2}\n`;
    expect(parsePasswordFile(text).problems).toMatchObject([{ line: 2, column: 1 }]);
    expect(editPasswordFile(text, 'alice', null)).toBeNull();
    expect(editPasswordFile(`\ufeffalice:${PBKDF2}\n`, 'alice', null)).toBe('');
  });

  it('gives back every name that it takes', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => describeUnusableName(text) === undefined);
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 8 }), (names) => {
        const text = names.reduce((before, each) => editPasswordFile(before, each, PBKDF2) ?? '', '');
        const { users, problems } = parsePasswordFile(text);
        expect(problems).toEqual([]);
        expect([...users.keys()]).toEqual(names);
        const without = names.reduce<string | null>((before, each) => editPasswordFile(before ?? '', each, null), text);
        expect(without).toBe('');
      }),
    );
  });

  it.each([
    ['', 'is empty'],
    ['a:b', 'must not contain :, which ends it'],
    ['#a', 'must not begin with #, which begins a comment'],
    ['a\nb', 'must not contain a line end or U+0000'],
    ['a\0b', 'must not contain a line end or U+0000'],
    [' a', 'must not begin or end with a blank'],
  ])('takes no name %j', (username, reason) => {
    expect(describeUnusableName(username)).toBe(reason);
  });
});
