import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { RemoteTokenKeys } from '../../../src/auth/remote-token-keys.js';
import { UNAVAILABLE } from '../../../src/auth/token-keys.js';
import { endless, HttpAnswers, json, silence } from '../../support/http-answers.js';
import { ManualClock } from '../../support/manual-clock.js';
import { ec, rsa } from '../../support/token-world.js';

const jwk = (pair: typeof rsa, kid: string) => ({ ...pair.publicKey.export({ format: 'jwk' }), kid });

async function world(answer: (typeof HttpAnswers.prototype)['answer']) {
  const server = await HttpAnswers.start(answer);
  const clock = new ManualClock();
  const lines: string[] = [];
  let changes = 0;
  const options = { url: server.url, timeoutMs: 5000, cooldownMs: 10_000, maximumAgeMs: 600_000 };
  const logger = pino({ level: 'debug' }, { write: (line) => lines.push(line) });
  const keys = new RemoteTokenKeys(options, clock, logger, () => changes++);
  const ids = async (id?: string, algorithm: 'RS256' | 'ES256' = 'RS256') => {
    const found = await keys.find(algorithm, id);
    return found === UNAVAILABLE ? 'unavailable' : found.map((key) => key.id);
  };
  return { server, clock, lines, keys, ids, changes: () => changes };
}

describe('RemoteTokenKeys', () => {
  it('fetches when it is first asked, once for all who ask, and not again', async () => {
    const { server, ids, lines } = await world(json({ keys: [jwk(rsa, 'a')] }));
    expect(await Promise.all([ids('a'), ids('a'), ids()])).toEqual([['a'], ['a'], ['a']]);
    expect(await ids('a')).toEqual(['a']);
    expect(server.asked).toHaveLength(1);
    expect(lines.join('')).not.toContain('in-the-query');
  });

  it('fetches again for a key that it does not know, as often as the cooldown allows', async () => {
    const { server, clock, ids, changes } = await world(json({ keys: [jwk(rsa, 'a')] }));
    await ids('a');
    server.answer = json({ keys: [jwk(rsa, 'a'), jwk(ec, 'b')] });
    for (let i = 0; i < 20; i++) expect(await ids(`made up ${i}`)).toEqual([]);
    expect(server.asked).toHaveLength(1);
    clock.advance(10_000);
    expect(await ids('b', 'ES256')).toEqual(['b']);
    expect(server.asked).toHaveLength(2);
    expect(changes()).toBe(2);
  });

  it('fetches a set that has become old, while that is still used', async () => {
    const { server, clock, ids, keys } = await world(json({ keys: [jwk(rsa, 'a')] }));
    await ids('a');
    server.answer = json({ keys: [jwk(ec, 'b')] });
    clock.advance(600_000);
    expect(keys.find('RS256', 'a')).toMatchObject([{ id: 'a' }]);
    await expect.poll(() => keys.find('ES256', 'b')).toMatchObject([{ id: 'b' }]);
    expect(await ids('a')).toEqual([]);
  });

  it.each([
    ['nothing listens', (response: Parameters<typeof endless>[0]) => void response.destroy()],
    ['500', json({}, 500)],
    [
      'a redirection',
      (response: Parameters<typeof endless>[0]) =>
        void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    ],
    ['no set', json({ hello: 1 })],
    ['an answer without end', endless],
  ])('is unavailable for %s, says so once, and goes on with what it had', async (_, failing) => {
    const { server, clock, ids, lines, keys } = await world(failing);
    expect(await ids('a')).toBe('unavailable');
    expect(await ids('a')).toBe('unavailable');
    clock.advance(10_000);
    expect(await ids('a')).toBe('unavailable');
    expect(lines).toHaveLength(1);
    server.answer = json({ keys: [jwk(rsa, 'a')] });
    clock.advance(10_000);
    expect(await ids('a')).toEqual(['a']);
    server.answer = failing;
    clock.advance(10_000);
    expect(await ids('b')).toEqual([]);
    expect(await ids('a')).toEqual(['a']);
    expect(Object.fromEntries(keys.figures())).toMatchObject({ 'authentication/jwt/failed key requests': 3 });
  });

  it('takes no shared secret from a set that everybody can fetch', async () => {
    const secret = { kty: 'oct', k: Buffer.alloc(64, 1).toString('base64url'), kid: 's' };
    const { server, clock, keys, ids } = await world(json({ keys: [jwk(rsa, 'a'), secret] }));
    expect(await keys.find('HS256', 's')).toEqual([]);
    expect(await ids('a')).toEqual(['a']);
    server.answer = json({ keys: [secret] });
    clock.advance(10_000);
    expect(await keys.find('HS256', 's')).toEqual([]);
  });

  it('does not wait longer than the timeout for a server that hangs', async () => {
    const { server, clock, ids, lines } = await world(silence);
    const found = ids('a');
    await expect.poll(() => server.asked.length).toBe(1);
    clock.advance(5000);
    expect(await found).toBe('unavailable');
    expect(lines.join('')).toContain('no answer within 5000 ms');
  });
});
