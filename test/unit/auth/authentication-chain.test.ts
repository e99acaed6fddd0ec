import { describe, expect, it } from 'vitest';
import { AuthenticationChain, type ChainOptions } from '../../../src/auth/authentication-chain.js';
import { AuthenticationCounters } from '../../../src/auth/authentication-counters.js';
import { type CredentialJudge, unidentified, type Verdict } from '../../../src/auth/credential-judge.js';
import { identityOf } from '../../../src/auth/identity.js';
import { connectRequest } from '../../support/connect-request.js';

const judge = (name: string, verdict: Verdict | Promise<Verdict>): CredentialJudge => ({ name, judge: () => verdict });
const allow: Verdict = { allowed: true, identity: identityOf('somebody') };
const ignorant = judge('one', 'next');
const remote = connectRequest({ isLoopback: false, listenerName: 'lan' });

describe('AuthenticationChain', () => {
  it.each<[string, boolean | undefined, ChainOptions, boolean, boolean]>([
    ['nothing configured', undefined, {}, true, false],
    ['anonymous: true', true, {}, true, true],
    ['anonymous: false', false, {}, false, false],
    ['a source, anonymous unset', undefined, { judges: [ignorant] }, false, false],
    ['a source, anonymous: true', true, { judges: [ignorant] }, true, true],
    ['a method, anonymous unset', undefined, { hasMethods: true }, false, false],
  ])('decides on anonymous clients with %s', async (_, anonymous, options, onLoopback, elsewhere) => {
    const chain = new AuthenticationChain(anonymous, options);
    expect(await chain.authenticate(connectRequest())).toMatchObject({ allowed: onLoopback });
    expect(await chain.authenticate(remote)).toMatchObject({ allowed: elsewhere });
  });

  it('says of a refused anonymous client which setting that is', async () => {
    expect(await new AuthenticationChain(undefined).authenticate(remote)).toEqual({
      allowed: false,
      why: 'forbidden',
      message: 'anonymous clients are not allowed on listener "lan" (setting auth.anonymous)',
    });
  });

  it('gives nobody a name that nobody has checked', async () => {
    const request = connectRequest({ username: 'admin', passwordText: 'x' });
    expect(await new AuthenticationChain(true).authenticate(request)).toEqual({
      allowed: true,
      identity: identityOf(null),
    });
  });

  it('refuses a name that no source knows, with a password and without', async () => {
    const chain = new AuthenticationChain(true, { judges: [ignorant] });
    for (const fields of [{ username: 'admin' }, { username: 'admin', passwordText: 'x' }, { username: '' }]) {
      expect(await chain.authenticate(connectRequest(fields))).toMatchObject({ allowed: false, why: 'unidentified' });
    }
  });

  it('takes the name of a certificate before it asks anybody', async () => {
    const chain = new AuthenticationChain(false, { judges: [judge('one', unidentified('no'))] });
    const certificate = { username: 'device-7', subject: 'CN=device-7', fingerprint: 'AA' };
    const decision = await chain.authenticate(connectRequest({ certificate, username: 'device-7' }));
    expect(decision).toMatchObject({ allowed: true, identity: { username: 'device-7' } });
    const nameless = await chain.authenticate(connectRequest({ certificate: { ...certificate, username: null } }));
    expect(nameless).toMatchObject({ allowed: false });
  });

  it('asks in turn, at once or later, until one decides', async () => {
    const counters = new AuthenticationCounters();
    const judges = [
      ignorant,
      judge('two', Promise.resolve<Verdict>('next')),
      judge('three', allow),
      judge('four', unidentified('')),
    ];
    const chain = new AuthenticationChain(false, { judges, counters });
    expect(await chain.authenticate(connectRequest())).toBe(allow);
    expect(Object.fromEntries(counters.figures())).toMatchObject({
      'authentication/one/accepted': 0,
      'authentication/two/refused': 0,
      'authentication/three/accepted': 1,
      'authentication/four/refused': 0,
      'authentication/anonymous/accepted': 0,
    });
  });

  it('passes on that a source has failed', async () => {
    const failing = { name: 'one', judge: () => Promise.reject(new TypeError('broken')) };
    await expect(new AuthenticationChain(true, { judges: [failing] }).authenticate(connectRequest())).rejects.toThrow(
      'broken',
    );
  });
});
