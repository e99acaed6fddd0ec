// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of claims
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { exportJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { keysOfSet, pemKey, secretKey, UnusableKey } from '../../../src/auth/token-key.js';
import { FileTokenKeys } from '../../../src/auth/token-keys.js';
import { isToken } from '../../../src/auth/token-verifier.js';
import { ManualClock } from '../../support/manual-clock.js';
import {
  ec,
  ed25519,
  forge,
  issue,
  keysOf,
  publicPem,
  rsa,
  SECRET,
  secretKeys,
  signRs256,
  usable,
  type Verifying,
  verifying,
} from '../../support/token-world.js';

const BEARER = { clientId: 'c', username: undefined };
const wanted = { address: '10.0.0.1', isWanted: () => true };

async function verdict(
  { verifier }: Verifying,
  token: string,
  bearer: { clientId: string; username: string | undefined } = BEARER,
) {
  const decision = await verifier.verify(token, bearer, wanted);
  return decision.allowed ? decision.identity : decision.detail;
}

const exp = (clock: ManualClock) => Math.floor(clock.now() / 1000) + 60;

describe('a token', () => {
  it.each([
    ['HS256', SECRET, secretKeys],
    ['RS256', rsa.privateKey, keysOf(rsa)],
    ['PS384', rsa.privateKey, keysOf(rsa)],
    ['ES256', ec.privateKey, keysOf(ec)],
    ['EdDSA', ed25519.privateKey, keysOf(ed25519)],
  ])('by %s says who its bearer is, until when, and what it may do', async (algorithm, key, keys) => {
    const clock = new ManualClock();
    const claims = { sub: 'alice', roles: ['reader'], acl: { pub: ['t/${clientid}'] } };
    const token = await issue(clock, claims, { algorithm, key });
    expect(await verdict(verifying(clock, keys), token)).toEqual({
      grounds: expect.objectContaining({ isWithdrawn: false }),
      username: 'alice',
      roles: ['reader'],
      rules: [{ effect: 'allow', action: 'publish', filter: 't/c' }],
      expiresAtMs: clock.now() + 60_000,
    });
  });

  it('is refused when it has expired, and when it has no end', async () => {
    const clock = new ManualClock();
    const world = verifying(clock);
    const token = await issue(clock, { sub: 'a' });
    const endless = await issue(clock, { sub: 'a' }, { expiresInSeconds: null });
    expect(await verdict(world, endless)).toContain('exp');
    expect(await verdict(verifying(clock, secretKeys, { isExpiryRequired: false }), endless)).toMatchObject({
      expiresAtMs: Number.POSITIVE_INFINITY,
    });
    clock.advance(61_000);
    expect(await verdict(world, token)).toContain('exp');
    expect(await verdict(verifying(clock, secretKeys, { clockToleranceMs: 5000 }), token)).toMatchObject({
      expiresAtMs: clock.now() + 4000,
    });
  });

  it('that was verified is remembered, and no longer than it lasts', async () => {
    const clock = new ManualClock();
    const { verifier } = verifying(clock);
    const token = await issue(clock, { sub: 'a' });
    await verifier.verify(token, BEARER, wanted);
    expect(verifier.verify(token, BEARER, wanted)).toMatchObject({ allowed: true });
    expect(verifier.verify(token, { clientId: 'c', username: 'b' }, wanted)).toMatchObject({ allowed: false });
    clock.advance(60_001);
    expect(await verifier.verify(token, BEARER, wanted)).toMatchObject({ allowed: false });
    expect([...verifier.figures()]).toEqual([['authentication/jwt/remembered', 2]]);
  });

  it('has to be for the user who is named beside it', async () => {
    const clock = new ManualClock();
    const token = await issue(clock, { sub: 'alice' });
    expect(await verdict(verifying(clock), token, { clientId: 'c', username: 'alice' })).toMatchObject({
      username: 'alice',
    });
    expect(await verdict(verifying(clock), token, { clientId: 'c', username: 'admin' })).toContain('not for "admin"');
  });

  it('has to have the issuer and one of the audiences that are configured', async () => {
    const clock = new ManualClock();
    const world = verifying(clock, secretKeys, { issuer: 'us', audience: ['broker', 'other'] });
    expect(await verdict(world, await issue(clock, { sub: 'a', iss: 'us', aud: 'broker' }))).toMatchObject({
      username: 'a',
    });
    expect(await verdict(world, await issue(clock, { sub: 'a', iss: 'them', aud: 'broker' }))).toContain('iss');
    expect(await verdict(world, await issue(clock, { sub: 'a', iss: 'us', aud: 'shop' }))).toContain('aud');
    expect(await verdict(world, await issue(clock, { sub: 'a' }))).toContain('iss');
  });

  it('may have its name and roles within other claims', async () => {
    const clock = new ManualClock();
    const rules = { usernameClaim: 'device.name', rolesClaim: 'realm_access.roles' };
    const claims = { device: { name: 'd' }, realm_access: { roles: ['r'] } };
    expect(await verdict(verifying(clock, secretKeys, rules), await issue(clock, claims))).toMatchObject({
      username: 'd',
      roles: ['r'],
    });
  });

  it.each([
    [{}],
    [{ sub: '' }],
    [{ sub: 7 as unknown as string }],
    [{ sub: 'a\0b' }],
    [{ sub: 'x'.repeat(65_536) }],
    [{ sub: 'a', roles: 'admin' }],
    [{ sub: 'a', acl: 'all' }],
  ])('with claims that cannot be used is refused, and the log says which: %#', async (claims) => {
    const clock = new ManualClock();
    const world = verifying(clock);
    const token = await issue(clock, claims);
    expect(await verdict(world, token)).toMatch(/^the claim (sub|roles|acl) of the token /);
    expect(world.lines).toHaveLength(1);
    expect(JSON.parse(world.lines[0] ?? '')).toMatchObject({ level: 40, claim: expect.any(String) });
    expect(world.lines.join('')).not.toContain(token.slice(-20));
  });

  it.each(['__proto__', 'constructor', 'toString'])(
    'does not find the claim %s that it does not have',
    async (usernameClaim) => {
      const clock = new ManualClock();
      expect(
        await verdict(verifying(clock, secretKeys, { usernameClaim }), await issue(clock, { sub: 'a' })),
      ).toContain('is no user name');
    },
  );
});

describe('a forged token', () => {
  const clock = new ManualClock();
  const claims = { sub: 'admin', exp: exp(clock) };

  it.each<[string, string]>([
    ['alg none', forge({ alg: 'none' }, claims)],
    ['alg None', forge({ alg: 'None' }, claims)],
    ['no alg', forge({}, claims)],
    ['no signature', forge({ alg: 'RS256' }, claims)],
    ['an alg that is a list', forge({ alg: ['RS256'] }, claims)],
    [
      'the public key as a shared secret',
      forge({ alg: 'HS256' }, claims, (signed) => createHmac('sha256', publicPem(rsa)).update(signed).digest()),
    ],
    [
      'the public key in DER as a shared secret',
      forge({ alg: 'HS256' }, claims, (signed) =>
        createHmac('sha256', rsa.publicKey.export({ type: 'spki', format: 'der' }))
          .update(signed)
          .digest(),
      ),
    ],
    ['a critical extension', forge({ alg: 'RS256', crit: ['x'], x: 1 }, claims, signRs256)],
    [
      'a key of its own',
      forge({ alg: 'ES256', jwk: ec.publicKey.export({ format: 'jwk' }) }, claims, Buffer.alloc(64)),
    ],
    ['another algorithm of the same key type', forge({ alg: 'RS512' }, claims, signRs256)],
    ['claims that are no JSON', `${forge({ alg: 'RS256' }, claims).split('.')[0]}.AAAA.AAAA`],
  ])('with %s is refused', async (_, token) => {
    expect(await verdict(verifying(clock, keysOf(rsa)), token)).toEqual(expect.any(String));
  });

  it('is refused by a verifier that takes the same when it is right', async () => {
    expect(await verdict(verifying(clock, keysOf(rsa)), forge({ alg: 'RS256' }, claims, signRs256))).toMatchObject({
      username: 'admin',
    });
    const fewer = verifying(clock, keysOf(rsa), { algorithms: ['PS256'] });
    expect(await verdict(fewer, forge({ alg: 'RS256' }, claims, signRs256))).toContain('RS256 are not taken');
  });

  it.each(['../../etc/passwd', "' or 1=1", '__proto__', 'x'.repeat(10_000), ''])(
    'finds no key by the id %.20s',
    async (id) => {
      const keys = new FileTokenKeys([{ ...usable(pemKey(publicPem(rsa))), id: 'the-key' }]);
      expect(await verdict(verifying(clock, keys), forge({ alg: 'RS256', kid: id }, claims, signRs256))).toContain(
        'there is no key',
      );
      expect(
        await verdict(verifying(clock, keys), forge({ alg: 'RS256', kid: 'the-key' }, claims, signRs256)),
      ).toMatchObject({ username: 'admin' });
    },
  );

  it('of 64 KB is refused, or taken, like any other', async () => {
    const large = { ...claims, padding: 'x'.repeat(45_000) };
    expect(await verdict(verifying(clock), forge({ alg: 'HS256' }, large, Buffer.alloc(32)))).toContain('signature');
    const token = await issue(clock, large);
    const world = verifying(clock);
    expect(await verdict(world, token)).toMatchObject({ username: 'admin' });
    // It is not kept.
    expect(world.verifier.verify(token, BEARER, wanted)).toBeInstanceOf(Promise);
  });

  it('with any byte changed is refused', async () => {
    const token = await issue(clock, { sub: 'a' });
    const world = verifying(clock);
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...'ABCxyz019-_.'), async (at, character) => {
        const changed = token.slice(0, at) + character + token.slice(at + 1);
        // The last character of a part has bits that are not used.
        fc.pre(Buffer.from(changed, 'base64url').compare(Buffer.from(token, 'base64url')) !== 0 && changed !== token);
        const outcome = await verdict(world, changed);
        const isSame = changed.split('.').every((part, index) => {
          return Buffer.from(part, 'base64url').equals(Buffer.from(token.split('.')[index] ?? '', 'base64url'));
        });
        if (!isSame) expect(outcome).toEqual(expect.any(String));
      }),
      { numRuns: 60 },
    );
  });
});

describe('what looks like a token', () => {
  it('is told from passwords', async () => {
    expect(isToken(Buffer.from(await issue(new ManualClock(), { sub: 'a' })))).toBe(true);
    expect(isToken(Buffer.from(forge({ alg: 'none' }, {})))).toBe(true);
    for (const password of [
      '',
      'secret',
      'e.y.z',
      'eyes.of.somebody.else',
      'eyJhbGciOiJub25lIn0',
      'eyJhbGci.AAAA.AAAA AAAA',
    ]) {
      expect(isToken(Buffer.from(password))).toBe(false);
    }
    expect(isToken(undefined)).toBe(false);
  });
});

describe('keys', () => {
  it('of a set are those that are for verifying', async () => {
    const jwk = { ...(await exportJWK(rsa.publicKey)), kid: 'a' };
    const keys = keysOfSet(
      JSON.stringify({
        keys: [
          jwk,
          { ...jwk, kid: 'enc', use: 'enc' },
          { ...jwk, kid: 'ops', key_ops: ['encrypt'] },
          { ...jwk, kid: 'alg', alg: 'RS512' },
          { ...jwk, kid: 'confused', alg: 'HS256' },
          { kty: 'oct', k: SECRET.toString('base64url'), kid: 'secret' },
          { kty: 'oct', k: 'c2hvcnQ', kid: 'short' },
          { kty: 'unknown' },
          null,
        ],
      }),
    );
    if (keys instanceof UnusableKey) throw new TypeError(keys.reason);
    expect(keys.map(({ id, algorithms }) => [id, algorithms.join(' ')])).toEqual([
      ['a', 'RS256 RS384 RS512 PS256 PS384 PS512'],
      ['alg', 'RS512'],
      ['secret', 'HS256'],
    ]);
  });

  it.each(['', '[]', '7', 'null', '{}', '{"keys":7}', '{"keys":[]}', `{"keys":[${new Array(101).fill('{}').join()}]}`])(
    'of %.20s are none',
    (text) => expect(keysOfSet(text)).toBeInstanceOf(UnusableKey),
  );

  it('that are private, short or no keys are refused', () => {
    expect(pemKey(rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())).toMatchObject({
      reason: expect.stringContaining('private'),
    });
    expect(pemKey('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----')).toEqual(
      new UnusableKey('cannot be read'),
    );
    expect(secretKey(Buffer.alloc(31))).toBeInstanceOf(UnusableKey);
    expect(usable(secretKey(Buffer.alloc(64))).algorithms).toEqual(['HS256', 'HS384', 'HS512']);
  });

  it('that are replaced are not used any more, whatever was remembered', async () => {
    const clock = new ManualClock();
    const keys = new FileTokenKeys([usable(secretKey(SECRET))]);
    const world = verifying(clock, keys);
    const token = await issue(clock, { sub: 'a' });
    expect(await verdict(world, token)).toMatchObject({ username: 'a' });
    keys.replace([usable(secretKey(Buffer.alloc(32, 7)))]);
    world.verifier.forget();
    expect(await verdict(world, token)).toContain('signature');
  });
});
