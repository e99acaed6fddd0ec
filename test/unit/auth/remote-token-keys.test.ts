import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { RemoteTokenKeys } from '../../../src/auth/remote-token-keys.js';
import { type KnownKey, UNAVAILABLE } from '../../../src/auth/token-keys.js';
import { endless, HttpAnswers, json, silence } from '../../support/http-answers.js';
import { ManualClock } from '../../support/manual-clock.js';
import { ec, rsa } from '../../support/token-world.js';

const jwk = (pair: typeof rsa, kid: string) => ({ ...pair.publicKey.export({ format: 'jwk' }), kid });

async function world(answer: (typeof HttpAnswers.prototype)['answer']) {
  const server = await HttpAnswers.start(answer);
  const clock = new ManualClock();
  const lines: string[] = [];
  const gone: number[] = [];
  const options = { url: server.url, timeoutMs: 5000, cooldownMs: 10_000, maximumAgeMs: 600_000 };
  const logger = pino({ level: 'debug' }, { write: (line) => lines.push(line) });
  const keys = new RemoteTokenKeys(options, clock, logger, (count) => gone.push(count));
  const ids = async (id?: string, algorithm: 'RS256' | 'ES256' = 'RS256') => {
    const found = await keys.find(algorithm, id);
    return found === UNAVAILABLE ? 'unavailable' : found.map(({ key }) => key.id);
  };
  return { server, clock, lines, keys, ids, changes: () => gone.length, gone: () => gone };
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
    expect(keys.find('RS256', 'a')).toMatchObject([{ key: { id: 'a' } }]);
    await expect.poll(() => keys.find('ES256', 'b')).toMatchObject([{ key: { id: 'b' } }]);
    expect(await ids('a')).toEqual([]);
  });

  it('fetches a set that has become old though nobody asks, and tells which keys are gone', async () => {
    const { server, clock, keys, gone } = await world(json({ keys: [jwk(rsa, 'a'), jwk(ec, 'b')] }));
    const [known] = (await keys.find('RS256', 'a')) as readonly KnownKey[];
    // The same keys in another order.
    server.answer = json({ keys: [jwk(ec, 'b'), jwk(rsa, 'a')] });
    clock.advance(600_000);
    await expect.poll(() => gone()).toEqual([0, 0]);
    expect(known?.isWithdrawn).toBe(false);
    server.answer = json({ keys: [jwk(ec, 'b')] });
    const later = (): readonly number[] => {
      clock.advance(600_000);
      return gone();
    };
    await expect.poll(later).toEqual([0, 0, 1]);
    expect(known?.isWithdrawn).toBe(true);
    keys.close();
    const { length } = server.asked;
    clock.advance(6_000_000);
    expect(server.asked).toHaveLength(length);
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
