import { describe, expect, it } from 'vitest';
import { failure } from '../../../src/auth/authentication-method.js';
import { identityOf } from '../../../src/auth/identity.js';
import { deriveCredential } from '../../../src/auth/scram-credential.js';
import { SCRAM_SHA_256 } from '../../../src/auth/scram-mechanism.js';
import { ScramMethod } from '../../../src/auth/scram-method.js';
import { ScramClient, scramUsers } from '../../support/scram-client.js';

const SERVER_NONCE = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
const SALT = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
const USERS = new Map([['user', deriveCredential(SCRAM_SHA_256, 'pencil', SALT, 4096)]]);
const CLIENT_FIRST = 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO';
const NONCE = `rOprNGfwEbeRWgbNEkqO${SERVER_NONCE}`;
const PROOF = 'p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=';

function begin(users = USERS) {
  return new ScramMethod(SCRAM_SHA_256, users, { newNonce: () => SERVER_NONCE, secret: Buffer.alloc(32, 7) }).begin();
}

const text = (data: Buffer | undefined): string => String(data);

describe('the example of RFC 7677 section 3', () => {
  it('is answered byte by byte', () => {
    const exchange = begin();
    const challenge = exchange.next(Buffer.from(CLIENT_FIRST));
    expect(challenge.outcome === 'continue' && text(challenge.data)).toBe(
      `r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
    );
    const end = exchange.next(Buffer.from(`c=biws,r=${NONCE},${PROOF}`));
    expect(end).toEqual({
      outcome: 'success',
      identity: expect.objectContaining({ ...identityOf('user') }),
      data: Buffer.from('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='),
    });
  });

  it('has the stored keys that PostgreSQL makes of it', () => {
    expect(deriveCredential(SCRAM_SHA_256, 'pencil', SALT, 4096).text).toBe(
      'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
    );
  });
});

describe('a client-first-message', () => {
  it.each([
    ['', 'the client says nothing'],
    ['x', 'the message does not begin with n, or y,'],
    ['p=tls-unique,,n=user,r=abc', 'channel binding is not offered'],
    ['n', 'an authorization identity: nobody can act for another user'],
    ['n,a=other,n=user,r=abc', 'an authorization identity: nobody can act for another user'],
    ['n,,m=ext,n=user,r=abc', 'a mandatory extension (m=), and none is known'],
    ['n,,r=abc,n=user', 'the user name (n=) is missing or not well-formed'],
    ['n,,n=,r=abc', 'the user name (n=) is missing or not well-formed'],
    ['n,,n=us=er,r=abc', 'the user name (n=) is missing or not well-formed'],
    ['n,,n=us=2cer,r=abc', 'the user name (n=) is missing or not well-formed'],
    ['n,,n=user', 'the nonce (r=) is missing or not printable ASCII'],
    ['n,,n=user,r=', 'the nonce (r=) is missing or not printable ASCII'],
    ['n,,n=user,r=a b', 'the nonce (r=) is missing or not printable ASCII'],
    ['n,,n=user,r=ä', 'the nonce (r=) is missing or not printable ASCII'],
    ['n,,n=user,r=abc,', 'what follows the nonce is not an extension'],
    ['n,,n=user,r=abc,xx', 'what follows the nonce is not an extension'],
    ['n,,n=user,r=abc,m=x', 'what follows the nonce is not an extension'],
    ['n,,n=us\0er,r=abc', 'the message is not UTF-8 text'],
    ['\ufeffn,,n=user,r=abc', 'the message does not begin with n, or y,'],
    ['n,,n=us\u0007er,r=abc', 'the user name must not contain U+0007 (RFC 4013)'],
    ['n,,n=\u00ad,r=abc', 'the user name is empty'],
  ])('%j fails: %s', (message, reason) => {
    const exchange = begin();
    if (message === '') exchange.next(undefined);
    expect(exchange.next(Buffer.from(message))).toEqual(failure(reason));
  });

  it('that is not UTF-8 fails', () => {
    const message = Buffer.concat([Buffer.from('n,,n='), Buffer.from([0xc0, 0x80]), Buffer.from(',r=abc')]);
    expect(begin().next(message)).toEqual(failure('the message is not UTF-8 text'));
  });

  it('may come after an empty challenge (RFC 4422 section 5.1)', () => {
    const exchange = begin();
    expect(exchange.next(undefined)).toEqual({ outcome: 'continue', data: undefined });
    expect(exchange.next(Buffer.from(CLIENT_FIRST)).outcome).toBe('continue');
  });

  it('may carry extensions, which are signed and else ignored', () => {
    const exchange = begin();
    const step = exchange.next(Buffer.from(`${CLIENT_FIRST},x=later`));
    expect(step.outcome === 'continue' && text(step.data)).toMatch(/^r=rOpr[^,]*,s=/);
    // Signed without the extension, so that the proof is another one.
    expect(exchange.next(Buffer.from(`c=biws,r=${NONCE},${PROOF}`)).outcome).toBe('failure');
  });

  it.each([
    ['a,b=c', 'a,b=c'],
    ['I\u00adX', 'IX'],
    ['e\u0301t\u00e9', '\u00e9t\u00e9'],
  ])('of user %j finds %j', (typed, stored) => {
    const exchange = begin(scramUsers({ [stored]: 'pencil' }));
    const client = new ScramClient(typed, 'pencil');
    const step = exchange.next(client.first);
    const challenge = step.outcome === 'continue' ? step.data : undefined;
    expect(exchange.next(client.final(challenge))).toMatchObject({
      outcome: 'success',
      identity: { username: stored },
    });
  });

  it('may say that the client could bind to a channel and believes that the broker cannot (y)', () => {
    const exchange = begin();
    const client = new ScramClient('user', 'pencil', 'abc', 'y,,');
    const step = exchange.next(client.first);
    const end = exchange.next(client.final(step.outcome === 'continue' ? step.data : undefined));
    expect(end.outcome === 'success' && text(end.data)).toBe(client.expectedEnd);
  });
});

describe('a client-final-message', () => {
  it.each([
    ['', 'the channel binding (c=) is missing or not base64'],
    [`c=bi ws,r=${NONCE},${PROOF}`, 'the channel binding (c=) is missing or not base64'],
    [`c=biws=,r=${NONCE},${PROOF}`, 'the channel binding (c=) is missing or not base64'],
    [`r=${NONCE},c=biws,${PROOF}`, 'the channel binding (c=) is missing or not base64'],
    [`c=eSws,r=${NONCE},${PROOF}`, 'the channel binding (c=) is not that of the beginning'],
    [`c=biws,r=rOprNGfwEbeRWgbNEkqO,${PROOF}`, 'the nonce (r=) is not the one of this exchange'],
    [`c=biws,r=${NONCE}x,${PROOF}`, 'the nonce (r=) is not the one of this exchange'],
    [`c=biws,${PROOF}`, 'the nonce (r=) is missing or not printable ASCII'],
    [`c=biws,r=${NONCE}`, 'the proof (p=) is missing or not 32 bytes in base64'],
    [`c=biws,r=${NONCE},p=`, 'the proof (p=) is missing or not 32 bytes in base64'],
    [`c=biws,r=${NONCE},p=AAAA`, 'the proof (p=) is missing or not 32 bytes in base64'],
    [`c=biws,r=${NONCE},${PROOF},x=y`, 'the proof (p=) is missing or not 32 bytes in base64'],
    [`c=biws,r=${NONCE},xx,${PROOF}`, 'what follows the nonce is not an extension'],
    [`c=biws,r=${NONCE},p=${'A'.repeat(43)}=`, 'wrong password for user "user"'],
  ])('%j fails: %s', (message, reason) => {
    const exchange = begin();
    exchange.next(Buffer.from(CLIENT_FIRST));
    expect(exchange.next(Buffer.from(message))).toEqual(failure(reason));
  });

  it('that does not come fails', () => {
    const exchange = begin();
    exchange.next(Buffer.from(CLIENT_FIRST));
    expect(exchange.next(undefined).outcome).toBe('failure');
  });
});

describe('a user that does not exist', () => {
  const method = new ScramMethod(SCRAM_SHA_256, scramUsers({ one: 'a', two: 'b' }));
  const challengeOf = (user: string): string => {
    const step = method.begin().next(Buffer.from(`n,,n=${user},r=abc`));
    return step.outcome === 'continue' ? text(step.data).replace(/^r=[^,]*/, '') : step.outcome;
  };

  it('is challenged like one that does, with the same salt each time and another for each name', () => {
    expect(challengeOf('nobody')).toMatch(/^,s=[A-Za-z0-9+/]{22}==,i=4096$/);
    expect(challengeOf('nobody')).toBe(challengeOf('nobody'));
    expect(challengeOf('nobody')).not.toBe(challengeOf('somebody'));
    expect(challengeOf('one')).toBe(challengeOf('one'));
  });

  it('has another salt in another process', () => {
    const salt = challengeOf('nobody');
    const other = new ScramMethod(SCRAM_SHA_256, scramUsers({})).begin().next(Buffer.from('n,,n=nobody,r=abc'));
    expect(other.outcome === 'continue' && text(other.data)).not.toContain(salt);
  });

  it('is shown with the number of iterations that most users have', () => {
    const users = scramUsers({ one: 'a' });
    for (const user of ['two', 'three']) users.set(user, deriveCredential(SCRAM_SHA_256, 'b', SALT, 5000));
    const step = new ScramMethod(SCRAM_SHA_256, users).begin().next(Buffer.from('n,,n=nobody,r=abc'));
    expect(step.outcome === 'continue' && text(step.data)).toMatch(/,i=5000$/);
  });

  it('fails at the end, whatever the password, and only the log says why', () => {
    const exchange = method.begin();
    const client = new ScramClient('nobody', 'a');
    const step = exchange.next(client.first);
    expect(exchange.next(client.final(step.outcome === 'continue' ? step.data : undefined))).toEqual({
      outcome: 'failure',
      reason: 'there is no user "nobody"',
      why: 'unidentified',
    });
  });
});

it('a nonce is fresh for each exchange', () => {
  const method = new ScramMethod(SCRAM_SHA_256, USERS);
  const nonces = [1, 2].map(() => {
    const step = method.begin().next(Buffer.from(CLIENT_FIRST));
    return step.outcome === 'continue' ? text(step.data) : '';
  });
  expect(nonces[0]).not.toBe(nonces[1]);
});
