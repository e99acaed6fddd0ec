import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { ConnectRequest } from '../../../src/auth/authenticator.js';
import { HttpJudge, type HttpJudgeOptions } from '../../../src/auth/http-judge.js';
import { NoticeLimit } from '../../../src/core/notice-limit.js';
import { connectRequest } from '../../support/connect-request.js';
import { endless, HttpAnswers, json, silence } from '../../support/http-answers.js';
import { ManualClock } from '../../support/manual-clock.js';

async function world(answer: (typeof HttpAnswers.prototype)['answer'], options: Partial<HttpJudgeOptions> = {}) {
  const server = await HttpAnswers.start(answer);
  const clock = new ManualClock();
  const lines: string[] = [];
  const logger = pino({ level: 'debug' }, { write: (line) => lines.push(line) });
  const judge = new HttpJudge(
    {
      url: server.url,
      headers: new Map([['authorization', 'Bearer of-the-file']]),
      timeoutMs: 5000,
      lane: { concurrency: 2, maximumWaiting: 3, maximumWaitMs: 5000 },
      rememberMs: 60_000,
      maximumRemembered: 10,
      whenDown: 'deny',
      ...options,
    },
    clock,
    logger,
    new NoticeLimit(clock),
  );
  return { server, clock, lines, judge };
}

const alice: Partial<ConnectRequest> = { username: 'alice', password: Buffer.from('the-password') };

describe('HttpJudge', () => {
  it('tells the back end everything that the client has said and shown', async () => {
    const { server, judge } = await world(json({ result: 'allow' }));
    const certificate = { username: null, subject: 'CN=x', fingerprint: 'AA:BB' };
    await judge.judge(connectRequest({ ...alice, certificate }));
    const [asked] = server.asked;
    expect(asked).toMatchObject({
      method: 'POST',
      headers: { authorization: 'Bearer of-the-file', 'content-type': 'application/json' },
    });
    expect(JSON.parse(asked?.body ?? '')).toEqual({
      clientId: 'client',
      username: 'alice',
      password: 'the-password',
      address: '127.0.0.1',
      listener: 'tcp',
      certificate: { subject: 'CN=x', fingerprint: 'AA:BB' },
    });
    await judge.judge(connectRequest({ password: Buffer.from([0xff, 0]) }));
    expect(JSON.parse(server.asked[1]?.body ?? '')).toMatchObject({ passwordBase64: '/wA=' });
  });

  it('takes name, roles, rules and end from the answer', async () => {
    const answer = { result: 'allow', username: 'a-1', roles: ['r'], acl: { all: ['x'] }, expiresIn: 30, more: 1 };
    const { judge, clock } = await world(json(answer));
    expect(await judge.judge(connectRequest(alice))).toEqual({
      allowed: true,
      identity: {
        username: 'a-1',
        roles: ['r'],
        rules: [{ effect: 'allow', action: 'all', filter: 'x' }],
        expiresAtMs: clock.now() + 30_000,
      },
    });
  });

  it('denies, or leaves the client to the next', async () => {
    const { server, judge } = await world(json({ result: 'deny' }));
    expect(await judge.judge(connectRequest(alice))).toMatchObject({ allowed: false, why: 'unidentified' });
    server.answer = json({ result: 'ignore' });
    expect(await judge.judge(connectRequest(alice))).toBe('next');
    expect(server.asked).toHaveLength(2);
  });

  it('is not asked about a client that shows nothing', async () => {
    const { server, judge } = await world(json({ result: 'allow' }));
    expect(judge.judge(connectRequest())).toBe('next');
    expect(server.asked).toHaveLength(0);
  });

  it('remembers who was allowed, while nothing about the client is another', async () => {
    const { server, judge, clock } = await world(json({ result: 'allow', expiresIn: 10 }));
    await judge.judge(connectRequest(alice));
    expect(judge.judge(connectRequest(alice))).toMatchObject({ allowed: true });
    await judge.judge(connectRequest({ ...alice, clientId: 'other' }));
    await judge.judge(connectRequest({ ...alice, remoteAddress: '10.0.0.1' }));
    await judge.judge(connectRequest({ ...alice, password: Buffer.from('x') }));
    expect(server.asked).toHaveLength(4);
    clock.advance(10_000);
    await judge.judge(connectRequest(alice));
    expect(server.asked).toHaveLength(5);
  });

  it.each<[string, (typeof HttpAnswers.prototype)['answer']]>([
    ['a connection that ends', (response) => void response.destroy()],
    ['404', json({ result: 'allow' }, 404)],
    ['500', json({ result: 'allow' }, 500)],
    ['a redirection', (response) => void response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()],
    ['no content', (response) => void response.writeHead(204).end()],
    ['no JSON', (response) => void response.end('allow')],
    ['a list', json(['allow'])],
    ['no result', json({})],
    ['another result', json({ result: true })],
    ['an unusable name', json({ result: 'allow', username: 'a\0b' })],
    ['an empty name', json({ result: 'allow', username: '' })],
    ['unusable roles', json({ result: 'allow', roles: 'admin' })],
    ['unusable rules', json({ result: 'allow', acl: [{ permission: 'allow' }] })],
    ['an unusable end', json({ result: 'allow', expiresIn: -1 })],
    ['an answer without end', endless],
  ])('for %s refuses as unavailable, or ignores it as configured', async (_, answer) => {
    const { judge, lines } = await world(answer);
    expect(await judge.judge(connectRequest(alice))).toMatchObject({ allowed: false, why: 'unavailable' });
    await judge.judge(connectRequest(alice));
    expect(lines).toHaveLength(1);
    expect(lines.join('')).not.toMatch(/the-password|of-the-file|in-the-query/);
    const ignoring = await world(answer, { whenDown: 'ignore' });
    expect(await ignoring.judge.judge(connectRequest(alice))).toBe('next');
  });

  it('does not wait longer than the timeout', async () => {
    const { server, judge, clock } = await world(silence);
    const verdict = judge.judge(connectRequest(alice));
    await expect.poll(() => server.asked.length).toBe(1);
    clock.advance(5000);
    expect(await verdict).toMatchObject({
      why: 'unavailable',
      detail: 'authentication by HTTP: no answer within 5000 ms',
    });
  });

  it('asks so many at once, and refuses what the line has no room for', async () => {
    const { server, judge } = await world(silence);
    const verdicts = Array.from({ length: 6 }, (_, i) => judge.judge(connectRequest({ ...alice, clientId: `c${i}` })));
    expect(await verdicts[5]).toMatchObject({ why: 'busy' });
    await expect.poll(() => server.asked.length).toBe(2);
    const figures = Object.fromEntries(judge.figures());
    expect(figures).toMatchObject({ 'authentication/http/waiting': 3, 'authentication/http/refused as busy': 1 });
  });
});
