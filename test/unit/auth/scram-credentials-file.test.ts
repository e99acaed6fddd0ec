import { describe, expect, it } from 'vitest';
import { deriveCredential } from '../../../src/auth/scram-credential.js';
import { formatCredentialLine, parseCredentialsFile } from '../../../src/auth/scram-credentials-file.js';
import { SCRAM_SHA_256, SCRAM_SHA_512 } from '../../../src/auth/scram-mechanism.js';

const CREDENTIAL = deriveCredential(SCRAM_SHA_256, 'pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'), 4096);
const LINE = formatCredentialLine('u', CREDENTIAL);
const VALUE = LINE.slice(2);
const FORM = 'expected USER:SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY, as millrace scram prints it';

it('gives back what was written, comments and empty lines left out', () => {
  const text = `# users\r\n\r\n${LINE}\r\naa:bb:$x:${VALUE}\n  \n`;
  const { users, problems } = parseCredentialsFile(text);
  expect(problems).toEqual([]);
  expect([...(users.get('SCRAM-SHA-256') ?? [])]).toEqual([
    ['u', CREDENTIAL],
    ['aa:bb:$x', CREDENTIAL],
  ]);
});

describe('a line that is wrong', () => {
  it.each<[string, number, string, string?]>([
    ['u:secret', 1, FORM],
    ['u', 1, FORM],
    ['u:$7$101$abc$def', 1, FORM],
    [`:${VALUE}`, 1, 'the user name is empty'],
    [` u:${VALUE}`, 1, 'the user name must not begin or end with a blank'],
    [`a\u0007:${VALUE}`, 1, 'the user name must not contain U+0007 (RFC 4013)'],
    [`\u2168:${VALUE}`, 1, 'the user name is not in the form that SASLprep (RFC 4013) gives it', 'IX'],
    [`u:${VALUE.replace('SHA-256', 'SHA256')}`, 3, 'expected SCRAM-SHA-256 or SCRAM-SHA-512', 'SCRAM-SHA-256'],
    [`u:${VALUE.replace('SHA-256', 'SHA-1')}`, 3, 'expected SCRAM-SHA-256 or SCRAM-SHA-512'],
    [`u:${VALUE.replace('4096', '4095')}`, 17, 'expected a number of iterations from 4096 to 2147483647'],
    [`u:${VALUE.replace('4096', '')}`, 17, 'expected a number of iterations from 4096 to 2147483647'],
    [`u:${VALUE.replace('4096', '9999999999')}`, 17, 'expected a number of iterations from 4096 to 2147483647'],
    [`u:${VALUE.replace('W22Z', 'W2-Z')}`, 22, 'expected a salt of at least 8 bytes in base64'],
    [`u:${VALUE.replace('W22ZaJ0SNY7soEsUEjb6gQ==', 'W22Z')}`, 22, 'expected a salt of at least 8 bytes in base64'],
    [`u:${VALUE.replace('WG5d', '')}`, 47, 'expected a stored key of 32 bytes in base64'],
    [`u:${VALUE.slice(0, -2)}`, 92, 'expected a server key of 32 bytes in base64'],
  ])('%j has its place', (line, column, message, suggestion) => {
    expect(parseCredentialsFile(`\n${line}\n${LINE.replace('u', 'v')}`)).toEqual({
      users: new Map([['SCRAM-SHA-256', new Map([['v', CREDENTIAL]])]]),
      problems: [{ line: 2, column, message, suggestion }],
    });
  });

  it('may be one of several, and a user is there once', () => {
    const { problems } = parseCredentialsFile(`${LINE}\nx\n${LINE}\n${LINE}\n`);
    expect(problems.map(({ line, message }) => [line, message])).toEqual([
      [2, FORM],
      [3, 'user "u" is there twice for SCRAM-SHA-256, first in line 1'],
      [4, 'user "u" is there twice for SCRAM-SHA-256, first in line 1'],
    ]);
  });
});

it('has a line for each mechanism of a user', () => {
  const long = deriveCredential(SCRAM_SHA_512, 'pencil', Buffer.alloc(16, 1), 4096);
  const { users, problems } = parseCredentialsFile(`${LINE}\n${formatCredentialLine('u', long)}\n`);
  expect(problems).toEqual([]);
  expect(users.get('SCRAM-SHA-256')).toEqual(new Map([['u', CREDENTIAL]]));
  expect(users.get('SCRAM-SHA-512')).toEqual(new Map([['u', long]]));
  const [problem] = parseCredentialsFile(`u:${VALUE.replace('SHA-256', 'SHA-512')}`).problems;
  expect(problem).toMatchObject({ line: 1, column: 47, message: 'expected a stored key of 64 bytes in base64' });
});
