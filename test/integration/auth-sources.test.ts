/** Authentication as the configuration says, with its files: what they say at the start, and after they have changed. */
import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ConnectDecision } from '../../src/auth/authenticator.js';
import { hashByPbkdf2 } from '../../src/auth/password-hash.js';
import { readAuthFiles } from '../../src/cli/auth-files.js';
import { type AuthSettings, authSchema } from '../../src/cli/auth-schema.js';
import { AuthSources } from '../../src/cli/auth-sources.js';
import { connectRequest } from '../support/connect-request.js';
import { HttpAnswers, json } from '../support/http-answers.js';
import { ManualClock } from '../support/manual-clock.js';
import { createTemporaryDirectory } from '../support/temporary-directory.js';
import { issue, publicPem, rsa } from '../support/token-world.js';

const HASH_OF = new Map<string, string>();
for (const password of ['a', 'b', 'new']) HASH_OF.set(password, await hashByPbkdf2(password, 1));
const line = (user: string, password: string) => `${user}:${HASH_OF.get(password)}\n`;

interface World {
  readonly clock: ManualClock;
  readonly sources: AuthSources;
  readonly lines: Record<string, unknown>[];
  withdrawals(): number;
  decide(username: string | undefined, password: string | undefined): Promise<ConnectDecision>;
  figures(): Record<string, number>;
}

function open(auth: unknown): World {
  const settings: AuthSettings = authSchema.parse(auth);
  const { value, problems } = readAuthFiles(settings, () => 'here');
  expect(problems).toEqual([]);
  const clock = new ManualClock();
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ level: 'debug' }, { write: (text) => lines.push(JSON.parse(text) as Record<string, unknown>) });
  const sources = new AuthSources(settings, value, clock, () => clock.now(), logger);
  onTestFinished(() => sources.close());
  let withdrawals = 0;
  sources.onWithdrawn = async () => {
    withdrawals++;
  };
  return {
    clock,
    sources,
    lines,
    withdrawals: () => withdrawals,
    decide: async (username, passwordText) =>
      await sources.authenticator.authenticate(
        connectRequest({ username, ...(passwordText === undefined ? {} : { passwordText }) }),
      ),
    figures: () => Object.fromEntries(sources.figures()),
  };
}

/** Time for the files to be looked at, and for one that has changed to settle. */
function letFilesSettle(clock: ManualClock): void {
  clock.advance(61_000);
}

describe('files that change', () => {
  it('of users are read again: who is gone has to go, and who is new gets in', async () => {
    const file = join(await createTemporaryDirectory(), 'passwords');
    writeFileSync(file, line('alice', 'a') + line('bob', 'b'));
    const { clock, decide, withdrawals, lines, figures } = open({ passwordFile: file });
    const alice = await decide('alice', 'a');
    expect(alice).toMatchObject({ allowed: true });
    writeFileSync(`${file}.new`, line('bob', 'b') + line('carol', 'new'));
    renameSync(`${file}.new`, file);
    letFilesSettle(clock);
    expect(withdrawals()).toBe(1);
    expect(alice.allowed && alice.identity.grounds?.isWithdrawn).toBe(true);
    expect(await decide('alice', 'a')).toMatchObject({ allowed: false });
    expect(await decide('bob', 'b')).toMatchObject({ allowed: true });
    expect(await decide('carol', 'new')).toMatchObject({ allowed: true });
    expect(lines.map(({ msg }) => msg)).toEqual(['users with passwords have been read again']);
    expect(figures()).toMatchObject({ 'authentication/reloads/done': 1, 'authentication/reloads/failed': 0 });
  });

  it('of users cost those who stay in them no check', async () => {
    const file = join(await createTemporaryDirectory(), 'passwords');
    writeFileSync(file, line('alice', 'a') + line('bob', 'b'));
    const { decide, sources, figures } = open({ passwordFile: file });
    await decide('alice', 'a');
    writeFileSync(file, line('alice', 'a') + line('bob', 'b') + line('carol', 'new'));
    sources.reload();
    expect(await decide('alice', 'a')).toMatchObject({ allowed: true });
    expect(figures()).toMatchObject({ 'authentication/password/remembered': 1 });
    writeFileSync(file, line('alice', 'new'));
    sources.reload();
    expect(await decide('alice', 'a')).toMatchObject({ allowed: false });
    expect(await decide('alice', 'new')).toMatchObject({ allowed: true });
  });

  it('are left alone while they do not change', async () => {
    const file = join(await createTemporaryDirectory(), 'passwords');
    writeFileSync(file, line('alice', 'a'));
    const { clock, lines } = open({ passwordFile: file });
    clock.advance(600_000);
    expect(lines).toEqual([]);
  });

  it('and are wrong are told of once, with the place, and change nothing', async () => {
    const file = join(await createTemporaryDirectory(), 'passwords');
    writeFileSync(file, line('alice', 'a'));
    const { clock, decide, lines, withdrawals, sources, figures } = open({ passwordFile: file });
    writeFileSync(file, 'alice:hunter2\n');
    letFilesSettle(clock);
    letFilesSettle(clock);
    sources.reload();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 50, problems: [expect.stringMatching(/passwords:1:7: expected a hash/)] });
    expect(JSON.stringify(lines)).not.toContain('hunter2');
    rmSync(file);
    letFilesSettle(clock);
    expect(lines).toHaveLength(2);
    expect(withdrawals()).toBe(0);
    expect(await decide('alice', 'a')).toMatchObject({ allowed: true });
    expect(figures()).toMatchObject({ 'authentication/reloads/done': 0, 'authentication/reloads/failed': 2 });
    writeFileSync(file, line('alice', 'new'));
    letFilesSettle(clock);
    expect(await decide('alice', 'new')).toMatchObject({ allowed: true });
  });

  it('are not read while they are being written', async () => {
    const file = join(await createTemporaryDirectory(), 'passwords');
    writeFileSync(file, line('alice', 'a') + line('bob', 'b'));
    const { clock, withdrawals } = open({ passwordFile: file });
    clock.advance(59_900);
    writeFileSync(file, line('alice', 'a'));
    clock.advance(200);
    writeFileSync(file, line('alice', 'a') + line('bob', 'b') + line('carol', 'new'));
    letFilesSettle(clock);
    expect(withdrawals()).toBe(0);
  });

  it('behind links are read again when a link is turned, as Kubernetes does, and on SIGHUP at once', async () => {
    const directory = await createTemporaryDirectory();
    for (const [version, password] of [
      ['v1', 'a'],
      ['v2', 'new'],
    ] as const) {
      await mkdir(join(directory, version));
      writeFileSync(join(directory, version, 'passwords'), line('alice', password));
    }
    symlinkSync('v1', join(directory, '..data'));
    const file = join(directory, 'passwords');
    symlinkSync('..data/passwords', file);
    const { decide, sources } = open({ passwordFile: file });
    expect(await decide('alice', 'a')).toMatchObject({ allowed: true });
    symlinkSync('v2', join(directory, '..tmp'));
    renameSync(join(directory, '..tmp'), join(directory, '..data'));
    sources.reload();
    expect(await decide('alice', 'a')).toMatchObject({ allowed: false });
    expect(await decide('alice', 'new')).toMatchObject({ allowed: true });
  });

  it('of keys are used for tokens from then on', async () => {
    const directory = await createTemporaryDirectory();
    const [keyFile, other] = [join(directory, 'key.pem'), 'x'.repeat(40)];
    writeFileSync(keyFile, publicPem(rsa));
    const { clock, decide, sources, figures, withdrawals } = open({ jwt: { keyFile } });
    const token = await issue(clock, { sub: 'alice' }, { algorithm: 'RS256', key: rsa.privateKey });
    const alice = await decide('alice', token);
    expect(await decide('alice', token)).toMatchObject({ allowed: true });
    // The same key in another form.
    writeFileSync(keyFile, JSON.stringify(rsa.publicKey.export({ format: 'jwk' })));
    sources.reload();
    expect([withdrawals(), alice.allowed && alice.identity.grounds?.isWithdrawn]).toEqual([0, false]);
    writeFileSync(keyFile, JSON.stringify({ kty: 'oct', k: Buffer.from(other).toString('base64url') }));
    sources.reload();
    expect([withdrawals(), alice.allowed && alice.identity.grounds?.isWithdrawn]).toEqual([1, true]);
    expect(await decide('alice', token)).toMatchObject({ allowed: false });
    const next = await issue(clock, { sub: 'alice' }, { key: Buffer.from(other) });
    expect(await decide('alice', next)).toMatchObject({ allowed: true });
    expect(figures()).toMatchObject({
      'authentication/jwt/accepted': 3,
      'authentication/jwt/refused': 1,
      'authentication/jwt/remembered': 1,
      'authentication/JWT/accepted': 0,
    });
  });
});

describe('sources together', () => {
  it('are asked in their order', async () => {
    const directory = await createTemporaryDirectory();
    const [passwordFile, secretFile, headersFile] = ['passwords', 'secret', 'headers'].map((name) =>
      join(directory, name),
    ) as [string, string, string];
    writeFileSync(passwordFile, line('alice', 'a'));
    writeFileSync(secretFile, `${'s'.repeat(32)}\n`);
    writeFileSync(headersFile, '# for the back end\nAuthorization: Bearer x\n');
    const server = await HttpAnswers.start(json({ result: 'allow', roles: ['by-http'] }));
    const { clock, decide, figures } = open({
      passwordFile,
      jwt: { secretFile },
      http: { url: server.url, headersFile },
    });
    const token = await issue(clock, { sub: 'alice', roles: ['by-token'] }, { key: Buffer.from('s'.repeat(32)) });
    expect(await decide('alice', token)).toMatchObject({ identity: { roles: ['by-token'] } });
    expect(await decide('alice', 'a')).toMatchObject({ identity: { roles: [] } });
    expect(await decide('alice', 'b')).toMatchObject({ allowed: false });
    expect(server.asked).toHaveLength(0);
    expect(await decide('bob', 'b')).toMatchObject({ identity: { username: 'bob', roles: ['by-http'] } });
    expect(server.asked[0]?.headers.authorization).toBe('Bearer x');
    expect(await decide(undefined, undefined)).toMatchObject({ allowed: false, why: 'forbidden' });
    expect(figures()).toMatchObject({
      'authentication/certificate/accepted': 0,
      'authentication/password/accepted': 1,
      'authentication/password/refused': 1,
      'authentication/http/accepted': 1,
      'authentication/anonymous/refused': 1,
      'authentication/checks/waiting': 0,
    });
  });

  it.each<[string, object, RegExp]>([
    ['secret', { jwt: { secretFile: 'FILE' } }, /auth\.jwt\.secretFile: .*shorter than 32 bytes/],
    ['short', { jwt: { keyFile: 'FILE' } }, /auth\.jwt\.keyFile: .*the key cannot be read/],
    ['headers', { http: { url: 'http://localhost', headersFile: 'FILE' } }, /:1:1: expected the name of a header/],
    ['none', { passwordFile: 'FILE' }, /auth\.passwordFile: .*there is no such file/],
  ])('tell what is wrong with the file "%s", and not what is in it', async (name, settings, problem) => {
    const file = join(await createTemporaryDirectory(), name);
    if (name !== 'none') writeFileSync(file, 'tiny-secret');
    const auth = authSchema.parse(JSON.parse(JSON.stringify(settings).replace('FILE', file)));
    const { problems } = readAuthFiles(auth, () => 'here');
    const texts = problems.map(({ where, path, message }) => `${where}: ${path}: ${message}`);
    expect(texts).toHaveLength(1);
    expect(texts[0]?.replace(': : ', ': ')).toMatch(problem);
    expect(texts[0]).not.toContain('tiny-secret');
  });
});
