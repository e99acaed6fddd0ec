/** Who is answered by HTTP, and what with, whatever he sends. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { AuditLog } from '../../../src/core/audit-log.js';
import { BrokerIdentity } from '../../../src/http/broker-identity.js';
import { HttpListenFailed } from '../../../src/http/http-errors.js';
import { HttpWorld, TOKEN, until } from '../../support/http-world.js';
import { ManualClock } from '../../support/manual-clock.js';

const QUEUES = '/api/v1/queues';
const CLOSING = 'GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n';

describe('health', () => {
  test('needs no token, and nobody may keep the answer', async () => {
    const world = await HttpWorld.start();
    const live = await world.send('GET', '/health/live', {});
    expect(live).toMatchObject({ status: 200, body: { status: 'alive' } });
    expect(live.headers.get('cache-control')).toBe('no-store');
    expect(await world.send('GET', '/health/ready', {})).toMatchObject({
      status: 200,
      body: { status: 'ready', reasons: [] },
    });
  });

  test('is alive and not ready while the broker starts, while it stops, and while nothing can be stored', async () => {
    const world = await HttpWorld.start({ isStarting: true });
    const ready = async () => {
      const { status, body } = await world.send('GET', '/health/ready', {});
      expect((await world.send('GET', '/health/live', {})).status).toBe(200);
      return [status, body['reasons']];
    };
    expect(await ready()).toEqual([503, ['starting']]);
    world.serve();
    expect(await ready()).toEqual([200, []]);
    world.isStoreFailing = true;
    expect(await ready()).toEqual([503, ['storage-failing']]);
    world.isStoreFailing = false;
    world.service.drain();
    expect(await ready()).toEqual([503, ['stopping']]);
  });

  test('answers HEAD without a body', async () => {
    const world = await HttpWorld.start();
    const { status, headers, body } = await world.send('HEAD', '/health/live', {});
    expect([status, headers.get('content-type'), body]).toEqual([200, 'application/json', {}]);
  });
});

describe('the token', () => {
  test.each([
    ['none', {}],
    ['another', { authorization: `Bearer ${TOKEN}x` }],
    ['a part of it', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
    ['an empty one', { authorization: 'Bearer ' }],
    ['another scheme', { authorization: `Basic ${TOKEN}` }],
    ['no scheme', { authorization: TOKEN }],
  ])('with %s nothing is told', async (_what, headers) => {
    const world = await HttpWorld.start();
    world.queues.queue('secret');
    const reply = await world.send('GET', QUEUES, headers);
    expect(reply).toMatchObject({ status: 401, body: { code: 'unauthorized', status: 401 } });
    expect(reply.headers.get('www-authenticate')).toContain('Bearer');
    expect(JSON.stringify(reply.body)).not.toContain('secret');
  });

  test('opens, with its scheme in any case', async () => {
    const world = await HttpWorld.start();
    expect((await world.send('GET', QUEUES, { authorization: `bearer  ${TOKEN}` })).status).toBe(200);
  });

  test('that nobody has opens nothing: the administration is off', async () => {
    const world = await HttpWorld.start({ token: null });
    expect(await world.call('GET', QUEUES)).toMatchObject({ status: 403, body: { code: 'admin-off' } });
    expect((await world.send('GET', '/health/ready', {})).status).toBe(200);
  });

  test('is never logged', async () => {
    const world = await HttpWorld.start();
    world.queues.queue('work');
    await world.call('GET', `${QUEUES}/work`);
    const purge = world.call('POST', `${QUEUES}/work/purge`);
    await Promise.race([purge, commitUntilAnswered(world, purge)]);
    expect(world.lines.join('')).toContain('a queue was purged');
    expect(world.lines.join('')).not.toContain(TOKEN);
  });
});

async function commitUntilAnswered(world: HttpWorld, answer: Promise<unknown>): Promise<void> {
  let isAnswered = false;
  void answer.then(() => {
    isAnswered = true;
  });
  while (!isAnswered) {
    world.queues.log.commit();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('the identity of the broker', () => {
  const IDENTITY = '/api/v1/identity';

  test('is proved without a token, to whoever knows its secret, and the secret is not told', async () => {
    const [world, other] = [await HttpWorld.start(), await HttpWorld.start()];
    const challenge = BrokerIdentity.challenge();
    const { status, body } = await world.send('GET', `${IDENTITY}?challenge=${challenge}`, {});
    const proof = String(body['proof']);
    expect(status).toBe(200);
    const known = new BrokerIdentity(world.service.identity.secret);
    expect(known.isProvenBy(proof, challenge)).toBe(true);
    expect(known.isProvenBy(proof, BrokerIdentity.challenge())).toBe(false);
    expect(known.isProvenBy('', challenge)).toBe(false);
    expect(other.service.identity.isProvenBy(proof, challenge)).toBe(false);
    expect(JSON.stringify(body)).not.toContain(known.secret);
  });

  test('is not proved before the address file is its own', async () => {
    const world = await HttpWorld.start({ isStarting: true });
    const path = `${IDENTITY}?challenge=${BrokerIdentity.challenge()}`;
    expect(await world.send('GET', path, {})).toMatchObject({ status: 503, body: { code: 'starting' } });
    world.serve();
    expect((await world.send('GET', path, {})).status).toBe(200);
  });

  test.each(['', '?challenge=short', `?challenge=${'x'.repeat(129)}`, '?challenge=sixteen%20letters%21'])(
    'is not proved for %j',
    async (query) => {
      const world = await HttpWorld.start();
      expect(await world.send('GET', `${IDENTITY}${query}`, {})).toMatchObject({
        status: 400,
        body: { code: 'invalid-parameter', detail: 'challenge: expected 16 to 128 letters, digits, - and _' },
      });
    },
  );
});

describe('while the broker starts or stops', () => {
  test('queues cannot be administered', async () => {
    const world = await HttpWorld.start({ isStarting: true });
    expect(await world.call('GET', QUEUES)).toMatchObject({ status: 503, body: { code: 'starting' } });
    world.serve();
    expect((await world.call('GET', QUEUES)).status).toBe(200);
    world.service.drain();
    expect(await world.call('GET', QUEUES)).toMatchObject({ status: 503, body: { code: 'stopping' } });
  });
});

describe('a request', () => {
  const problems: [string, string, number, string][] = [
    ['GET', '/', 404, 'not-found'],
    ['GET', `${QUEUES}/`, 404, 'not-found'],
    ['GET', `${QUEUES}//purge`, 404, 'not-found'],
    ['GET', `${QUEUES}/a/b/c`, 404, 'not-found'],
    ['GET', '/API/V1/QUEUES', 404, 'not-found'],
    ['GET', `${QUEUES}/%E0%A4`, 400, 'bad-request'],
    ['GET', `${QUEUES}/nowhere`, 404, 'queue-not-found'],
    ['GET', `${QUEUES}/constructor`, 404, 'queue-not-found'],
    ['GET', `${QUEUES}?limit=0`, 400, 'invalid-parameter'],
    ['GET', `${QUEUES}?limit=1e1`, 400, 'invalid-parameter'],
    ['GET', `${QUEUES}?limit=1&limit=2`, 400, 'invalid-parameter'],
    ['GET', `${QUEUES}?lmit=1`, 400, 'invalid-parameter'],
    ['GET', `${QUEUES}?__proto__=1`, 400, 'invalid-parameter'],
    ['GET', `${QUEUES}/nowhere?limit=1`, 400, 'invalid-parameter'],
  ];
  test.each(problems)('%s %s is a problem: %s %s', async (method, path, status, code) => {
    const world = await HttpWorld.start();
    const reply = await world.call(method, path);
    expect(reply.headers.get('content-type')).toBe('application/problem+json');
    expect(reply.body).toEqual({
      type: 'about:blank',
      title: expect.any(String),
      status,
      code,
      detail: expect.stringMatching(/./),
    });
    expect(reply.status).toBe(status);
  });

  test.each([
    ['POST', QUEUES, 'GET, HEAD'],
    ['GET', `${QUEUES}/work/purge`, 'POST'],
    ['PUT', `${QUEUES}/work/redrive`, 'POST, GET, DELETE, HEAD'],
    ['OPTIONS', QUEUES, 'GET, HEAD'],
  ])('%s %s is a wrong method: %s', async (method, path, allow) => {
    const world = await HttpWorld.start();
    const reply = await world.call(method, path);
    expect(reply).toMatchObject({ status: 405, body: { code: 'method-not-allowed' } });
    expect(reply.headers.get('allow')).toBe(allow);
    expect(reply.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('with a body that is no JSON, or of another type, or not as it should be, is told what is wrong', async () => {
    const world = await HttpWorld.start();
    world.queues.queue('work');
    const path = `${QUEUES}/work/redrive`;
    expect(await world.call('POST', path, '{"perSecond":')).toMatchObject({
      status: 400,
      body: { code: 'invalid-json', detail: expect.stringContaining('JSON') },
    });
    expect(await world.call('POST', path, { perSecnd: 1 })).toMatchObject({
      status: 422,
      body: { code: 'invalid-body', detail: expect.stringContaining('perSecnd') },
    });
    expect(await world.call('POST', path, { perSecond: 0 })).toMatchObject({
      status: 422,
      body: { detail: expect.stringMatching(/^perSecond: /) },
    });
    expect(await world.call('POST', path, '[]')).toMatchObject({ status: 422 });
    expect(await world.call('POST', path, { target: 'work' })).toMatchObject({
      status: 422,
      body: { detail: 'target: is the queue itself' },
    });
    const plain = await fetch(`${world.service.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'text/plain' },
      body: '{}',
    });
    expect(plain.status).toBe(415);
  });

  test('with a body that is too large is told so, announced or not, and the connection goes on', async () => {
    const world = await HttpWorld.start({ maximumBodyBytes: 100 });
    world.queues.queue('work');
    const head = `POST ${QUEUES}/work/redrive HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${TOKEN}\r\ncontent-type: application/json\r\n`;
    const next = 'GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n';
    const body = `"${'x'.repeat(200)}"`;
    const announced = await world.raw(`${head}content-length: ${body.length}\r\n\r\n${body}${next}`);
    const chunked = await world.raw(
      `${head}transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n${next}`,
    );
    for (const reply of [announced, chunked]) {
      expect(reply).toMatch(/^HTTP\/1\.1 413 [\s\S]*"body-too-large"[\s\S]*HTTP\/1\.1 200 OK[\s\S]*"alive"/);
    }
  });

  test('that fails by our own fault tells nothing, and is logged', async () => {
    const world = await HttpWorld.start();
    world.queues.queue('work');
    world.queues.registry.find = () => {
      throw new TypeError('something internal');
    };
    const reply = await world.call('GET', `${QUEUES}/work`);
    expect(reply).toMatchObject({ status: 500, body: { code: 'internal-error' } });
    expect(JSON.stringify(reply.body)).not.toContain('something internal');
    expect(world.lines.join('')).toContain('something internal');
  });
});

describe('a client that misbehaves', () => {
  test('does not finish its header, or its body: it is answered 408 and cut off', async () => {
    const world = await HttpWorld.start({ requestTimeoutMs: 200 });
    const [header, body] = await Promise.all([
      world.raw('GET /health/live HTTP/1.1\r\nhost: localhost\r\nx-slow: '),
      world.raw(
        `POST ${QUEUES}/work/redrive HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${TOKEN}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
      ),
    ]);
    expect(header).toMatch(/^HTTP\/1\.1 408 [\s\S]*"request-timeout"/);
    expect(body).toMatch(/^HTTP\/1\.1 408 [\s\S]*"request-timeout"/);
  });

  test('says nothing at all: it is cut off', async () => {
    const world = await HttpWorld.start({ requestTimeoutMs: 200 });
    expect(await world.raw('')).toMatch(/^(HTTP\/1\.1 408 [\s\S]*)?$/);
  });

  test.each([
    ['no HTTP', 'hello\r\n\r\n', 400, 'bad-request'],
    ['a header that is too large', `GET / HTTP/1.1\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers-too-large'],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'bad-request',
    ],
    ['no host', 'GET /health/live HTTP/1.1\r\nconnection: close\r\n\r\n', 400, ''],
  ])('sends %s: it is refused', async (_what, text, status, code) => {
    const world = await HttpWorld.start();
    const reply = await world.raw(text);
    expect(reply.startsWith(`HTTP/1.1 ${status} `)).toBe(true);
    expect(reply).toContain(code);
  });

  test('goes away in the middle of its body: nothing comes of it', async () => {
    const world = await HttpWorld.start();
    const socket = connect(world.port, '127.0.0.1');
    const text = `POST ${QUEUES}/work/redrive HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${TOKEN}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`;
    await new Promise<void>((resolve) => socket.write(text, () => resolve()));
    socket.resetAndDestroy();
    expect((await world.send('GET', '/health/live', {})).status).toBe(200);
    expect(world.lines).toEqual([]);
  });

  test('opens connections and asks nothing, or slowly: the next one has the place of the first', async () => {
    const world = await HttpWorld.start({ maximumConnections: 3, requestTimeoutMs: 3_600_000 });
    const closed: number[] = [];
    const slow = await Promise.all(
      ['', 'GET /health/live HT', 'GET /health/live HTTP/1.1\r\nhost: x'].map(async (text, n) => {
        const socket = connect(world.port, '127.0.0.1').on('close', () => closed.push(n));
        await once(socket, 'connect');
        socket.write(text);
        return socket;
      }),
    );
    expect(await world.raw(CLOSING)).toContain('"alive"');
    expect(await world.raw(CLOSING)).toContain('"alive"');
    await until(() => closed.length === 1);
    expect(
      await world.raw(
        'GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\nGET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n',
      ),
    ).toMatch(/"alive".*"alive"/s);
    expect(closed).toHaveLength(1);
    for (const socket of slow) socket.destroy();
  });

  test('is being answered on all connections that there may be: one more is closed', async () => {
    const world = await HttpWorld.start({ maximumConnections: 1 });
    const first = connect(world.port, '127.0.0.1');
    first.on('error', () => {});
    first.write(
      `POST ${QUEUES}/work/redrive HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${TOKEN}\r\ncontent-type: application/json\r\ncontent-length: 100\r\nexpect: 100-continue\r\n\r\n`,
    );
    await once(first, 'data');
    expect(await world.raw(CLOSING)).toBe('');
    expect(first.destroyed).toBe(false);
    first.destroy();
  });
});

describe('a request that was meant for somebody else', () => {
  const ask = async (world: HttpWorld, host: string, origin?: string): Promise<string> => {
    const from = origin === undefined ? '' : `origin: ${origin}\r\n`;
    const reply = await world.raw(`GET /health/live HTTP/1.1\r\nhost: ${host}\r\n${from}connection: close\r\n\r\n`);
    return /"(host-not-allowed|origin-not-allowed|alive)"/.exec(reply)?.[1] ?? reply;
  };

  test.each([
    ['localhost', 'alive'],
    ['LOCALHOST:8080', 'alive'],
    ['localhost.', 'alive'],
    ['127.0.0.1:1', 'alive'],
    ['[::1]:8080', 'alive'],
    ['ops.example:8080', 'alive'],
    ['evil.example', 'host-not-allowed'],
    ['127.0.0.1.evil.example', 'host-not-allowed'],
    ['localhost.evil.example:8080', 'host-not-allowed'],
    ['localhost@evil.example', 'host-not-allowed'],
  ])('names the host %s: %s', async (host, answer) => {
    expect(await ask(await HttpWorld.start({ allowedHosts: ['ops.example'] }), host)).toBe(answer);
  });

  test.each([
    ['http://localhost:8080', 'alive'],
    ['https://ops.example', 'alive'],
    ['http://localhost:3000', 'origin-not-allowed'],
    ['http://evil.example', 'origin-not-allowed'],
    ['null', 'origin-not-allowed'],
  ])('comes from a page of %s: %s', async (origin, answer) => {
    expect(await ask(await HttpWorld.start({ allowedHosts: ['ops.example'] }), 'localhost:8080', origin)).toBe(answer);
  });

  test('is none if others can reach the listener, and no names are given', async () => {
    expect(await ask(await HttpWorld.start({ host: '0.0.0.0' }), 'broker.example')).toBe('alive');
    const named = await HttpWorld.start({ host: '0.0.0.0', allowedHosts: ['broker.example'] });
    expect(await ask(named, 'broker.example')).toBe('alive');
    expect(await ask(named, 'evil.example')).toBe('host-not-allowed');
  });
});

describe('the listener', () => {
  test('names its address, and says so if it is taken', async () => {
    const world = await HttpWorld.start();
    expect(world.service.url).toBe(`http://127.0.0.1:${world.port}`);
    await expect(HttpWorld.start({ port: world.port })).rejects.toThrow(HttpListenFailed);
  });

  test('is gone when it is closed, with every connection', async () => {
    const world = await HttpWorld.start();
    const held = world.raw('GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await world.send('GET', '/health/live', {});
    await world.service.close();
    await held;
    await expect(world.send('GET', '/health/live', {})).rejects.toThrow();
  });
});

describe('the OpenAPI document', () => {
  test('has every route, and what it takes and answers', async () => {
    const world = await HttpWorld.start();
    const { body } = await world.send('GET', '/openapi.json', {});
    expect(body).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } });
    const paths = body['paths'] as Record<string, Record<string, Record<string, unknown>>>;
    expect(Object.keys(paths)).toContain('/health/ready');
    expect(paths['/health/live']?.['get']?.['security']).toBeUndefined();
    expect(paths[`${QUEUES}/{queue}/redrive`]?.['post']).toMatchObject({
      security: [{ bearer: [] }],
      parameters: [{ name: 'queue', in: 'path', required: true }],
      requestBody: { content: { 'application/json': { schema: { properties: { perSecond: { default: 100 } } } } } },
      responses: { 202: { description: 'Accepted' } },
    });
    expect(paths[QUEUES]?.['get']?.['parameters']).toMatchObject([
      { name: 'limit', in: 'query', required: false, schema: { default: '100' } },
      { name: 'cursor', in: 'query' },
    ]);
    const searched = ['id', 'key', 'topic', 'from', 'to', 'order', 'limit', 'cursor', 'payloadBytes'];
    for (const path of ['/api/v1/history', `${QUEUES}/{queue}/history`]) {
      const parameters = paths[path]?.['get']?.['parameters'] as { in: string; name: string; required: boolean }[];
      const ofQuery = parameters.filter((parameter) => parameter.in === 'query');
      expect(ofQuery.map(({ name }) => name)).toEqual(searched);
      expect(ofQuery.some(({ required }) => required)).toBe(false);
      expect(ofQuery[3]).toMatchObject({ schema: { type: 'string', format: 'date-time' } });
    }
    expect(Object.keys(paths['/api/v1/damaged-queues/{number}'] ?? {})).toEqual(['delete']);
  });
});

describe('the audit log', () => {
  test('tells what was changed and what was refused, and no token and no body', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'info' }, { write: (line) => void lines.push(line) });
    const world = await HttpWorld.start({ audit: new AuditLog(logger, new ManualClock(), 'failures') });
    await world.call('GET', '/api/v1/queues');
    await world.call('POST', '/api/v1/queues/none/purge?x=secret-query', { secret: 'secret-body' });
    await world.send('GET', '/api/v1/queues', { authorization: 'Bearer secret-token' });
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told).toEqual([
      expect.objectContaining({ event: 'administration', method: 'POST', path: '/api/v1/queues/none/purge' }),
      expect.objectContaining({ event: 'administration refused', status: 401, token: true }),
    ]);
    expect(told.every(({ audit, remoteAddress }) => audit === true && remoteAddress === '127.0.0.1')).toBe(true);
    expect(lines.join()).not.toContain('secret-');
  });
});
