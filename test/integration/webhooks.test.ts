/** Messages of queues are sent to webhooks: real servers on this machine, and a clock that the test turns. */
import { createHmac } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DEFAULT_QUEUE_OPTIONS } from '../../src/queues/queue-options.js';
import { DurableBroker } from '../support/durable-broker.js';
import { until } from '../support/http-world.js';
import { PushBroker } from '../support/push-broker.js';
import { cert, key } from '../support/test-certificate.js';
import { pushTo, startRawTarget, WebhookTarget } from '../support/webhook-target.js';

/** One attempt more is the last one. */
const DEAD_LETTERS = {
  q: { deadLetter: { queue: 'dead', maxReceives: 2 }, retry: { baseMs: 1000, capMs: 1000 } },
  dead: {},
} as const;

describe('a message of a queue that is pushed', () => {
  it('is the body of a POST, and done when that is answered with 2xx', async () => {
    const target = await WebhookTarget.start();
    const broker = await PushBroker.start({ targets: pushTo(target.url) });
    const device = await broker.queues.test.connect('device-7');
    device.send({
      cmd: 'publish',
      topic: 't/7',
      payload: Buffer.from([0x7b, 0xff, 0x00]),
      qos: 1,
      messageId: 1,
      dup: false,
      retain: false,
      properties: {
        contentType: 'application/json',
        responseTopic: 'answers/ä 1',
        correlationData: Buffer.from('c1'),
        userProperties: { 'a b': 'ü"' },
      },
    });
    const [request] = await target.received(1);
    await broker.emptied();
    expect(request).toMatchObject({ method: 'POST', path: '/hook', body: Buffer.from([0x7b, 0xff, 0x00]) });
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': '3',
      'webhook-timestamp': String(Math.floor(broker.clock.now() / 1000)),
      'q-queue': 'q',
      'q-attempt': '1',
      'q-enqueued': String(broker.clock.now()),
      'mqtt-topic': 't/7',
      'q-publisher': 'device-7',
      'mqtt-response-topic': 'answers/%C3%A4%201',
      'mqtt-correlation-data': 'YzE=',
      'mqtt-user-properties': '[["a b","\\u00fc\\""]]',
    });
    expect(request?.headers['webhook-id']).toMatch(/^[\w-]{20,}$/);
    expect(request?.headers['user-agent']).toMatch(/^millrace\/\d/);
    expect(request?.headers['webhook-signature']).toBeUndefined();
    expect(broker.push()).toMatchObject({ state: 'up', requests: 1, delivered: 1, lastFailure: null });
  });

  it('is signed with each secret, over the bytes that are sent', async () => {
    const target = await WebhookTarget.start();
    const secrets = [Buffer.alloc(32, 1), Buffer.alloc(24, 2)];
    const broker = await PushBroker.start({ targets: pushTo(target.url, { secrets }) });
    broker.queues.publish('t/1', 'päyload');
    const [request] = await target.received(1);
    const { headers, body } = request ?? { headers: {}, body: Buffer.alloc(0) };
    const signed = secrets.map((secret) => {
      const content = Buffer.concat([Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`), body]);
      return `v1,${createHmac('sha256', secret).update(content).digest('base64')}`;
    });
    expect(headers['webhook-signature']).toBe(signed.join(' '));
  });

  it('is signed by the time of day, whatever time the broker was started with', async () => {
    const target = await WebhookTarget.start();
    const timeOfDayMs = (): number => 1_900_000_000_500;
    const broker = await PushBroker.start({ targets: pushTo(target.url), timeOfDayMs });
    broker.queues.publish('t/1', 'x');
    const [request] = await target.received(1);
    expect(request?.headers['webhook-timestamp']).toBe('1900000000');
    const retryAfter = new Date(timeOfDayMs() + 5000).toUTCString();
    target.answering = (_, response) => void response.writeHead(503, { 'retry-after': retryAfter }).end();
    broker.queues.publish('t/1', 'y');
    await broker.returned(1);
    target.answering = (_, response) => void response.writeHead(204).end();
    broker.clock.advance(5000);
    await broker.emptied();
    expect(broker.push()).toMatchObject({ throttled: 1, delivered: 2 });
  });

  it('is a CloudEvent in binary mode, if the target wants that', async () => {
    const target = await WebhookTarget.start();
    const broker = await PushBroker.start({
      targets: pushTo(target.url, { format: 'cloudevents' }),
      rules: [{ group: { topicLevel: 2 } }],
    });
    broker.queues.test.broker.publish({ topic: 't/grün "1"', payload: 'x', qos: 1, contentType: 'text/plain' });
    const [request] = await target.received(1);
    expect(request?.headers).toMatchObject({
      'ce-specversion': '1.0',
      'ce-id': request?.headers['webhook-id'],
      'ce-source': '/queues/q',
      'ce-type': 'millrace.message',
      'ce-time': new Date(broker.clock.now()).toISOString(),
      'ce-subject': 't/gr%C3%BCn%20%221%22',
      'ce-partitionkey': 'gr%C3%BCn%20%221%22',
      'ce-attempt': '1',
      'content-type': 'text/plain',
    });
    expect(request?.headers['q-queue']).toBeUndefined();
  });

  it('has headers of the configuration, which go before its own', async () => {
    const target = await WebhookTarget.start();
    const headers = new Map([
      ['authorization', 'Bearer token'],
      ['content-type', 'application/json'],
    ]);
    const broker = await PushBroker.start({ targets: pushTo(target.url, { headers }) });
    broker.queues.publish('t/1', '{}');
    const [request] = await target.received(1);
    expect(request?.headers).toMatchObject({ authorization: 'Bearer token', 'content-type': 'application/json' });
  });

  it('names what it leaves out because no server would take headers of that size', async () => {
    const target = await WebhookTarget.start();
    const broker = await PushBroker.start({ targets: pushTo(target.url) });
    const long = 'x'.repeat(20_000);
    broker.queues.test.broker.publish({
      topic: 't/1',
      payload: '',
      qos: 1,
      userProperties: [['long', long]],
      contentType: long,
      responseTopic: 'answers',
    });
    const [request] = await target.received(1);
    expect(request?.headers).toMatchObject({
      'q-omitted': 'mqtt-user-properties',
      'mqtt-response-topic': 'answers',
      'content-type': 'application/octet-stream',
      'content-length': '0',
    });
    await broker.emptied();
  });

  it('has a receipt, if its publisher asked for one', async () => {
    const target = await WebhookTarget.start();
    const broker = await PushBroker.start({ targets: pushTo(target.url), queues: { q: { receipts: true } } });
    const device = await broker.queues.test.connect('device');
    await device.subscribe('receipts', 1);
    const properties = { responseTopic: 'receipts', correlationData: Buffer.from('order') };
    const publish = { cmd: 'publish', topic: 't/1', payload: 'x', qos: 1, dup: false, retain: false } as const;
    device.send({ ...publish, messageId: 9, properties });
    await device.expectPacket('puback');
    const receipt = await device.expectPacket('publish');
    expect(JSON.parse(receipt.payload.toString())).toMatchObject({ queue: 'q', result: 'done' });
    expect(receipt.properties?.correlationData).toEqual(Buffer.from('order'));
  });
});

describe('what a target answers', () => {
  it.each([200, 201, 202, 204, 299])('%i is done', async (status) => {
    const target = await WebhookTarget.start((_, response) => void response.writeHead(status).end());
    const broker = await PushBroker.start({ targets: pushTo(target.url) });
    broker.queues.publish('t/1', 'x');
    await broker.emptied();
    expect(broker.push()).toMatchObject({ requests: 1, delivered: 1 });
  });

  it.each([
    [300, 'redirect'],
    [304, 'redirect'],
    [400, 'client-error'],
    [404, 'client-error'],
    [429, 'client-error'],
    [500, 'server-error'],
    [503, 'server-error'],
    [600, 'server-error'],
  ] as const)('%i is a failed attempt, and the second one makes it a dead letter', async (status, failure) => {
    const target = await WebhookTarget.start((_, response) => void response.writeHead(status).end());
    const broker = await PushBroker.start({ targets: pushTo(target.url), queues: DEAD_LETTERS });
    broker.queues.publish('t/1', 'x');
    await broker.returned(1);
    expect(broker.push()).toMatchObject({ failed: { [failure]: 1 }, lastFailure: { reason: `status ${status}` } });
    broker.clock.advance(1000);
    const requests = await target.received(2);
    await broker.returned(1);
    broker.clock.advance(1000);
    await broker.emptied();
    expect(broker.left('dead')).toBe(1);
    expect(requests.map(({ headers }) => headers['q-attempt'])).toEqual(['1', '2']);
    expect(new Set(requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(broker.push()).toMatchObject({ requests: 2, failed: { [failure]: 2 } });
  });

  it('tries again for ever at the last step of the ladder, if there is no dead-letter queue', async () => {
    const target = await WebhookTarget.start((_, response) => void response.writeHead(500).end());
    const broker = await PushBroker.start({
      targets: pushTo(target.url, { breaker: { failures: 1000, firstWaitMs: 1000, longestWaitMs: 1000 } }),
      queues: { q: { retry: { delaysMs: [1000, 3000] } } },
    });
    broker.queues.publish('t/1', 'x');
    await broker.returned(1);
    broker.clock.advance(1000);
    for (let attempt = 2; attempt <= 12; attempt++) {
      await target.received(attempt);
      await broker.returned(1);
      broker.clock.advance(2900);
      expect(target.requests).toHaveLength(attempt);
      broker.clock.advance(100);
    }
    expect(broker.left()).toBe(1);
  });

  it('a redirect leads nowhere, whatever it points to', async () => {
    const secret = await WebhookTarget.start();
    const target = await WebhookTarget.start((_, response) => {
      response.writeHead(307, { location: secret.url }).end();
    });
    const broker = await PushBroker.start({ targets: pushTo(target.url), queues: DEAD_LETTERS });
    broker.queues.publish('t/1', 'x');
    await broker.returned(1);
    expect([target.requests.length, secret.requests.length]).toEqual([1, 0]);
    expect(broker.push()).toMatchObject({ failed: { redirect: 1 } });
  });

  it.each([
    [429, '7', 7000],
    [503, '7', 7000],
    [503, 'date', 7000],
    [429, '0', 1000],
    [429, '99999999999999999999', 60_000],
  ])(
    '%i with Retry-After %s brings it back then, uncounted, and nothing else before',
    async (status, value, pauseMs) => {
      const target = await WebhookTarget.start();
      const broker = await PushBroker.start({
        targets: pushTo(target.url, { longestPauseMs: 60_000, concurrency: 1 }),
        queues: DEAD_LETTERS,
      });
      const retryAfter = value === 'date' ? new Date(broker.clock.now() + 7000).toUTCString() : value;
      target.answering = (_, response) => void response.writeHead(status, { 'retry-after': retryAfter }).end();
      broker.queues.publish('t/1', 'first', 'second');
      await broker.returned(1);
      target.answering = (_, response) => void response.writeHead(200).end();
      expect(broker.push()).toMatchObject({ state: 'paused', throttled: 1, failed: { 'client-error': 0 } });
      broker.clock.advance(pauseMs - 1);
      // A turn for whatever might have been sent.
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(target.texts).toEqual(['first']);
      broker.clock.advance(1);
      await broker.emptied();
      const again = target.requests.slice(1).find(({ text }) => text === 'first');
      expect(again?.headers['q-attempt']).toBe('1');
      expect(broker.push()).toMatchObject({ state: 'up', delivered: 2 });
    },
  );

  it('410 stops it: nothing is lost or counted, and it is tried again after an hour', async () => {
    const target = await WebhookTarget.start((_, response) => void response.writeHead(410).end());
    const broker = await PushBroker.start({ targets: pushTo(target.url, { concurrency: 1 }), queues: DEAD_LETTERS });
    broker.queues.publish('t/1', 'a', 'b', 'c');
    await until(() => broker.push().state === 'gone');
    expect(broker.queues.statistics()).toMatchObject({ ready: 3, inFlight: 0, delayed: 0 });
    broker.clock.advance(3_599_000);
    expect(target.requests).toHaveLength(1);
    target.answering = (_, response) => void response.writeHead(204).end();
    broker.clock.advance(1000);
    await broker.emptied();
    expect(broker.push()).toMatchObject({ state: 'up', gone: 1, delivered: 3 });
    expect(target.requests.map(({ headers }) => headers['q-attempt'])).toEqual(['1', '1', '1', '1']);
  });

  it('a body is thrown away, and not waited for beyond a bound', async () => {
    let isBroken = false;
    const target = await WebhookTarget.start((_, response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(64 * 1024);
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', more).on('close', () => {
        isBroken = true;
      });
      more();
    });
    const broker = await PushBroker.start({ targets: pushTo(target.url, { concurrency: 1 }) });
    broker.queues.publish('t/1', 'x', 'y');
    await broker.emptied();
    await until(() => isBroken && broker.push().inFlight === 0);
    expect(broker.push()).toMatchObject({ delivered: 2 });
  });

  it('a body that does not end keeps its place until the time is over, and not the message', async () => {
    const target = await WebhookTarget.start((_, response) => void response.writeHead(200).write('...'));
    const broker = await PushBroker.start({ targets: pushTo(target.url, { timeoutMs: 5000, concurrency: 1 }) });
    broker.queues.publish('t/1', 'x', 'y');
    await until(() => broker.push().delivered === 1);
    expect([broker.left(), broker.push().inFlight, target.requests.length]).toEqual([1, 1, 1]);
    broker.clock.advance(5100);
    await target.received(2);
    await broker.emptied();
    expect(broker.push()).toMatchObject({ delivered: 2, failed: { timeout: 0 } });
  });
});

describe('a target that is none', () => {
  const BREAKER = { breaker: { failures: 1000, firstWaitMs: 1000, longestWaitMs: 1000 } };

  async function failsTwice(broker: PushBroker, failure: string): Promise<void> {
    broker.queues.publish('t/1', 'x');
    await broker.returned(1);
    broker.clock.advance(1000);
    await until(() => broker.push().requests === 2);
    await broker.returned(1);
    broker.clock.advance(1000);
    await broker.emptied();
    await until(() => broker.push().inFlight === 0);
    expect(broker.left('dead')).toBe(1);
    expect(broker.push()).toMatchObject({ delivered: 0, failed: { [failure]: 2 } });
  }

  it('refuses connections: retried, then a dead letter', async () => {
    const target = await WebhookTarget.start();
    const { url } = target;
    await target.stop();
    const broker = await PushBroker.start({ targets: pushTo(url, BREAKER), queues: DEAD_LETTERS });
    await failsTwice(broker, 'connection');
    expect(broker.push().lastFailure?.reason).toContain('ECONNREFUSED');
  });

  it.each([
    ['closes at once', ''],
    ['closes in the middle of the status line', 'HTTP/1.1 2'],
    ['closes in the middle of the head', 'HTTP/1.1 200 OK\r\nContent-Le'],
  ])('%s: retried, then a dead letter', async (_what, bytes) => {
    const url = await startRawTarget((socket) => socket.once('data', () => socket.end(bytes)));
    const broker = await PushBroker.start({ targets: pushTo(url, BREAKER), queues: DEAD_LETTERS });
    await failsTwice(broker, 'connection');
  });

  it.each([
    ['garbage', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['bytes', '\u0000\u0001\u0002\u0003'],
    ['a head without an end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`],
    ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'],
    ['a status that is no number', 'HTTP/1.1 abc OK\r\n\r\n'],
  ])('sends %s in place of HTTP: retried, then a dead letter', async (_what, bytes) => {
    const url = await startRawTarget((socket) => socket.once('data', () => socket.end(Buffer.from(bytes, 'latin1'))));
    const broker = await PushBroker.start({ targets: pushTo(url, BREAKER), queues: DEAD_LETTERS });
    await failsTwice(broker, 'protocol');
  });

  it.each([
    ['accepts and says nothing', () => {}],
    ['sends a status that never ends', (socket: { write(text: string): void }) => socket.write('HTTP/1.1 2')],
    [
      'says that there is more to come',
      (socket: { write(text: string): void }) => socket.write('HTTP/1.1 102 Processing\r\n\r\n'),
    ],
  ])('%s: given up after the time, retried, then a dead letter', async (_what, onConnection) => {
    const url = await startRawTarget(onConnection);
    const broker = await PushBroker.start({
      targets: pushTo(url, { ...BREAKER, timeoutMs: 2000 }),
      queues: { ...DEAD_LETTERS, q: { ...DEAD_LETTERS.q, visibilityTimeoutMs: 500 } },
    });
    broker.queues.publish('t/1', 'x');
    for (let attempt = 1; attempt <= 2; attempt++) {
      await until(() => broker.push().requests === attempt && broker.push().inFlight === 1);
      // Longer than the visibility timeout: whoever waits for an answer has the message all the while.
      broker.clock.advance(1900);
      expect(broker.queues.statistics()).toMatchObject({ inFlight: 1 });
      broker.clock.advance(200);
      await broker.returned(1);
      expect(broker.push().failed.timeout).toBe(attempt);
      broker.clock.advance(1000);
    }
    await broker.emptied();
    expect(broker.left('dead')).toBe(1);
  });

  it('has a certificate that nobody vouches for', async () => {
    const target = await WebhookTarget.start(undefined, { key, cert });
    const broker = await PushBroker.start({ targets: pushTo(target.url, BREAKER), queues: DEAD_LETTERS });
    await failsTwice(broker, 'connection');
    expect(target.requests).toEqual([]);
  });
});

describe('the address of a target', () => {
  it('is not connected to if it is not allowed, also if it stands in the URL itself', async () => {
    const target = await WebhookTarget.start();
    const broker = await PushBroker.start({ targets: pushTo(target.url), allow: [], queues: DEAD_LETTERS });
    broker.queues.publish('t/1', 'x');
    await broker.returned(1);
    expect([target.connections, broker.push().failed['forbidden-address']]).toEqual([0, 1]);
  });

  it.each([
    'http://127.1:PORT/',
    'http://0x7f000001:PORT/',
    'http://2130706433:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
  ])('is known in disguise: %s', async (disguise) => {
    const target = await WebhookTarget.start();
    const url = disguise.replace('PORT', String(target.port));
    const broker = await PushBroker.start({ targets: pushTo(url), allow: [], queues: DEAD_LETTERS });
    broker.queues.publish('t/1', 'x');
    await broker.returned(1);
    expect([target.connections, broker.push().failed['forbidden-address']]).toEqual([0, 1]);
  });

  it('is looked at each time that a name is resolved, for the connection itself', async () => {
    const target = await WebhookTarget.start((_, response) => {
      response.writeHead(500, { connection: 'close' }).end();
    });
    // A name server that leads into another network once it has been trusted.
    const answers = ['127.0.0.2', '127.0.0.1'];
    let lookups = 0;
    const broker = await PushBroker.start({
      targets: pushTo(`http://rebinding.example:${target.port}/`),
      allow: ['127.0.0.2'],
      queues: DEAD_LETTERS,
      resolver: (name, callback) => {
        expect(name).toBe('rebinding.example');
        const address = answers[Math.min(lookups++, 1)] ?? '';
        setImmediate(() => callback(null, [{ address, family: 4 }]));
      },
    });
    broker.queues.publish('t/1', 'x');
    await broker.returned(1);
    // Nobody listens on 127.0.0.2 alone.
    expect(broker.push().failed).toMatchObject({ connection: 1, 'forbidden-address': 0 });
    broker.clock.advance(1000);
    await until(() => broker.push().requests === 2);
    await broker.returned(1);
    expect(broker.push().failed).toMatchObject({ connection: 1, 'forbidden-address': 1 });
    expect([lookups, target.connections]).toEqual([2, 0]);
  });

  it('is chosen among those of a name that are allowed', async () => {
    const target = await WebhookTarget.start();
    const broker = await PushBroker.start({
      targets: pushTo(`http://hooks.example:${target.port}/`),
      resolver: (_, callback) =>
        callback(null, [
          { address: '10.0.0.1', family: 4 },
          { address: '::1', family: 6 },
          { address: '127.0.0.1', family: 4 },
        ]),
    });
    broker.queues.publish('t/1', 'x');
    await broker.emptied();
    expect(target.requests[0]?.headers.host).toBe(`hooks.example:${target.port}`);
  });

  it('may be missing: the name is not resolved', async () => {
    const broker = await PushBroker.start({
      targets: pushTo('http://nowhere.example/'),
      resolver: (name, callback) =>
        callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }), []),
    });
    broker.queues.publish('t/1', 'x');
    await broker.returned(1);
    expect(broker.push()).toMatchObject({
      failed: { connection: 1 },
      lastFailure: { reason: expect.stringContaining('ENOTFOUND') },
    });
  });
});

describe('a target with a certificate of its own authority', () => {
  it('is trusted if the configuration names that', async () => {
    const target = await WebhookTarget.start(undefined, { key, cert });
    const broker = await PushBroker.start({ targets: pushTo(target.url, { certificateAuthorities: cert }) });
    broker.queues.publish('t/1', 'x');
    await broker.emptied();
    expect(target.texts).toEqual(['x']);
  });
});

describe('requests at one time', () => {
  it('are as many as configured, whatever waits', async () => {
    const held: (() => void)[] = [];
    const target = await WebhookTarget.start((_, response) => void held.push(() => response.writeHead(204).end()));
    const broker = await PushBroker.start({ targets: pushTo(target.url, { concurrency: 3 }) });
    broker.queues.publish('t/1', ...Array.from({ length: 20 }, (_, n) => String(n)));
    for (let done = 0; done < 20; done++) {
      await target.received(Math.min(20, done + 3));
      expect(broker.queues.statistics().inFlight).toBeLessThanOrEqual(3);
      held.shift()?.();
    }
    await broker.emptied();
    expect([target.mostOpen, target.connections]).toEqual([3, 3]);
    expect(target.texts.map(Number)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it('leave the order of each group of a fifo queue, with failures in between', async () => {
    const groups = ['a', 'b', 'c', 'd'];
    const failures = new Set(['a1', 'b0', 'c2']);
    const target = await WebhookTarget.start(({ text }, response) => {
      const isFailing = failures.delete(text);
      setImmediate(() => response.writeHead(isFailing ? 500 : 204).end());
    });
    const broker = await PushBroker.start({
      targets: pushTo(target.url, { concurrency: 8 }),
      queues: { q: { type: 'fifo', retry: { baseMs: 1000, capMs: 1000 } } },
      rules: [{ group: { topicLevel: 2 } }],
    });
    for (let n = 0; n < 5; n++) for (const group of groups) broker.queues.publish(`t/${group}`, `${group}${n}`);
    await broker.returned(3);
    await until(() => target.texts.filter((text) => text.startsWith('d')).length === 5);
    broker.clock.advance(1000);
    await broker.emptied();
    for (const group of groups) {
      const texts = target.texts.filter((text) => text.startsWith(group));
      expect([...new Set(texts)]).toEqual([0, 1, 2, 3, 4].map((n) => `${group}${n}`));
      expect(texts).toEqual([...texts].sort());
    }
  });

  it('go on over connections that the target has closed meanwhile', async () => {
    const target = await WebhookTarget.start();
    const broker = await PushBroker.start({ targets: pushTo(target.url) });
    for (let round = 1; round <= 3; round++) {
      broker.queues.publish('t/1', 'x', 'y');
      await broker.emptied();
      target.closeIdleConnections();
    }
    expect(broker.push()).toMatchObject({ requests: 6, delivered: 6, failed: { connection: 0 } });
  });

  it('are not failed by a connection that is cut while a request is on its way to it', async () => {
    // Each connection takes one request and cuts the second one, as a server does that closes an idle one at that very moment.
    const url = await startRawTarget((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 204 No Content\r\n\r\n');
        socket.once('data', () => socket.resetAndDestroy());
      });
    });
    const broker = await PushBroker.start({ targets: pushTo(url, { concurrency: 2 }) });
    for (let n = 0; n < 6; n++) {
      broker.queues.publish('t/1', String(n));
      await broker.emptied();
    }
    expect(broker.push()).toMatchObject({ delivered: 6, failed: { connection: 0 } });
  });
});

describe('a target that is down', () => {
  it('gets a probe now and then, and uses up nothing but the attempts of these', async () => {
    const target = await WebhookTarget.start((_, response) => void response.writeHead(500).end());
    const broker = await PushBroker.start({
      targets: pushTo(target.url, { concurrency: 2, breaker: { failures: 2, firstWaitMs: 1000, longestWaitMs: 4000 } }),
      queues: {
        q: { deadLetter: { queue: 'dead', maxReceives: 5 }, retry: { baseMs: 600_000, capMs: 600_000 } },
        dead: {},
      },
    });
    const texts = Array.from({ length: 50 }, (_, n) => String(n));
    broker.queues.publish('t/1', ...texts);
    await until(() => broker.push().state === 'down' && broker.queues.statistics().inFlight === 0);
    const tried = target.requests.length;
    expect(tried).toBeLessThan(6);
    for (const [probe, waitMs] of [1000, 2000, 4000, 4000].entries()) {
      expect(target.requests).toHaveLength(tried + probe);
      broker.clock.advance(waitMs);
      await target.received(tried + probe + 1);
      await until(() => broker.push().state === 'down');
    }
    expect(broker.queues.statistics().inFlight).toBe(0);
    target.answering = (_, response) => void response.writeHead(204).end();
    broker.clock.advance(4000);
    await until(() => broker.push().delivered === 50 - tried - 4);
    expect(target.requests.slice(tried + 4).every(({ headers }) => headers['q-attempt'] === '1')).toBe(true);
    broker.clock.advance(600_000);
    await broker.emptied();
    expect([broker.push().state, broker.left('dead')]).toEqual(['up', 0]);
    expect(new Set(target.texts)).toEqual(new Set(texts));
  });

  it('leaves messages to other consumers', async () => {
    const target = await WebhookTarget.start((_, response) => void response.writeHead(500).end());
    const broker = await PushBroker.start({
      targets: pushTo(target.url, { breaker: { failures: 1, firstWaitMs: 60_000, longestWaitMs: 60_000 } }),
    });
    broker.queues.publish('t/1', 'tried');
    await until(() => broker.push().state === 'down');
    const worker = await broker.queues.consume('worker');
    broker.queues.publish('t/1', 'not tried');
    expect((await worker.expectPacket('publish')).payload.toString()).toBe('not tried');
    expect(target.texts).toEqual(['tried']);
  });
});

describe('the end of the broker', () => {
  it('waits for what is in flight, and takes nothing more', async () => {
    const held: (() => void)[] = [];
    const target = await WebhookTarget.start((_, response) => void held.push(() => response.writeHead(204).end()));
    const broker = await PushBroker.start({ targets: pushTo(target.url, { concurrency: 2 }) });
    broker.queues.publish('t/1', 'a', 'b', 'c');
    await target.received(2);
    const stopped = broker.queues.workQueues.pushes.stop(5000);
    for (const answer of held) answer();
    await stopped;
    expect(target.texts).toEqual(['a', 'b']);
    expect(broker.queues.statistics()).toMatchObject({ ready: 1, inFlight: 0, consumers: 0 });
  });

  it('gives back uncounted what is not answered in time', async () => {
    const target = await WebhookTarget.start(() => {});
    const broker = await PushBroker.start({ targets: pushTo(target.url) });
    broker.queues.publish('t/1', 'a');
    await target.received(1);
    const stopped = broker.queues.workQueues.pushes.stop(5000);
    broker.clock.advance(5000);
    await stopped;
    expect(broker.queues.statistics()).toMatchObject({ ready: 1, inFlight: 0 });
    expect(broker.push().abandoned).toBe(1);
    const worker = await broker.queues.consume('worker');
    const { properties } = await worker.expectPacket('publish');
    expect(properties?.userProperties).toMatchObject({ 'q-attempt': '1' });
    await until(() => target.open === 0);
  });

  it('in the middle of a request brings the message again, under the same id', async () => {
    const target = await WebhookTarget.start(() => {});
    const queues = new Map([['q', { ...DEFAULT_QUEUE_OPTIONS, visibilityTimeoutMs: 3_600_000 }]]);
    const rules = [{ name: 'r', topics: ['t/#'], queues: ['q'], onFull: 'refuse' }] as const;
    const pushes = { allow: ['127.0.0.1'], targets: new Map([['q', pushTo(target.url)]]) };
    const first = await DurableBroker.start({ workQueues: { queues, rules, pushes } });
    first.workQueues.pushes.start();
    onTestFinished(() => first.workQueues.pushes.stop(0));
    first.broker.publish({ topic: 't/1', payload: 'a', qos: 1 });
    await target.received(1);
    await first.settle();
    target.answering = (_, response) => void response.writeHead(204).end();
    const second = await first.crash();
    second.workQueues.pushes.start();
    onTestFinished(() => second.workQueues.pushes.stop(0));
    const requests = await target.received(2);
    await until(() => second.workQueues.registry.find('q')?.counters.acknowledged === 1);
    expect(requests.map(({ headers }) => headers['q-attempt'])).toEqual(['1', '2']);
    expect(new Set(requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });
});

describe('what is told of a webhook', () => {
  it('stands below the figures of its queue', async () => {
    const target = await WebhookTarget.start(({ text }, response) => {
      response.writeHead(text === 'bad' ? 400 : 204).end();
    });
    const broker = await PushBroker.start({ targets: pushTo(target.url), limits: { sysIntervalSeconds: 10 } });
    broker.queues.publish('t/1', 'good', 'bad');
    await broker.returned(1);
    await until(() => broker.push().delivered === 1);
    const client = await broker.queues.test.connect('c');
    const values = new Map<string, string>();
    await client.subscribe('$SYS/broker/queues/q/push/#', 0);
    broker.clock.advance(10_000);
    await client.barrier();
    for (const packet of client.takeAll()) {
      if (packet.cmd === 'publish') values.set(packet.topic.split('/push/')[1] ?? '', packet.payload.toString());
    }
    expect(Object.fromEntries(values)).toMatchObject({
      up: '1',
      delivered: '1',
      requests: '2',
      'failed/client-error': '1',
      'failed/timeout': '0',
    });
  });
});
