/**
 * Clients of the SQS endpoint that do what no client should. Whoever is refused is told why; meanwhile and afterwards a good client is served,
 * nothing is lost, and nothing of the attackers is left in memory.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTemporaryDirectory } from '../support/temporary-directory.js';
import { BrokerProcess, type BrokerProcessOptions } from './support/broker-process.js';
import { eventually } from './support/raw-client.js';
import { jsonHead, jsonRequest, RawHttp } from './support/raw-http.js';
import { figure, IS_LONG } from './support/settings.js';

const MiB = 1024 * 1024;
const WAITERS = IS_LONG ? 19_000 : 10_000;
/** Twice as long in JSON: ten of them are more than the operating system buffers. */
const LARGE = '\n'.repeat(1_000_000);
const SECRET = 'a-secret-of-the-test';

let broker: BrokerProcess;
const open: RawHttp[] = [];

async function start(sqs: NonNullable<BrokerProcessOptions['sqs']> = {}): Promise<void> {
  await broker?.end();
  broker = await BrokerProcess.start({
    limits: { sysIntervalSeconds: 0 },
    directory: await createTemporaryDirectory(),
    workQueues: { queues: { q: { retry: { delaysMs: [0] } } }, rules: [] },
    sqs,
  });
}

beforeEach(() => start());

afterEach(async () => {
  for (const client of open.splice(0)) client.destroy();
  if (broker.hasExited) return;
  const { errors, lastErrors, queues } = await broker.report();
  await broker.end();
  expect(errors, lastErrors.join()).toBe(0);
  expect(queues['q']?.missing).toBe(0);
});

async function connect(): Promise<RawHttp> {
  const client = await RawHttp.open(broker.sqsPort);
  open.push(client);
  return client;
}

async function counter(name: string): Promise<number> {
  return (await broker.report()).sqs[`sqs/${name}`] ?? 0;
}

async function counterIs(name: string, value: number): Promise<void> {
  await eventually(async () => (await counter(name)) === value, 20_000);
}

async function queueHas(wanted: { readonly ready?: number; readonly inFlight: number }): Promise<void> {
  await eventually(async () => {
    const { ready, inFlight } = (await broker.report()).queues['q'] ?? {};
    return inFlight === wanted.inFlight && (wanted.ready ?? ready) === ready;
  });
}

async function send(count: number, body = 'x'): Promise<void> {
  const client = await connect();
  for (let sent = 0; sent < count; sent++) {
    expect((await client.call('SendMessage', { QueueUrl: 'q', MessageBody: `${sent} ${body}` })).status).toBe(200);
  }
  client.destroy();
}

/** A good client sends, receives and deletes. */
async function expectService(): Promise<void> {
  const client = await connect();
  await send(1, 'good');
  const { body } = await client.call('ReceiveMessage', { QueueUrl: 'q' });
  const [message] = (JSON.parse(body) as { Messages: { Body: string; ReceiptHandle: string }[] }).Messages;
  expect(message?.Body).toBe('0 good');
  const { ReceiptHandle } = message ?? {};
  expect((await client.call('DeleteMessage', { QueueUrl: 'q', ReceiptHandle })).status).toBe(200);
  client.destroy();
}

describe('a request', () => {
  it('that is too large is answered with an error of SQS, and its connection serves on', async () => {
    const client = await connect();
    const large = await client.call('SendMessage', { QueueUrl: 'q', MessageBody: 'x'.repeat(5 * MiB) });
    expect(large.status).toBe(400);
    expect(JSON.parse(large.body)).toMatchObject({ __type: 'com.amazon.coral.service#InvalidParameterValueException' });
    expect((await client.call('ListQueues', {})).status).toBe(200);
    expect(await counter('refused/bodies')).toBe(1);
  });

  it('without an end is answered, and cut off', async () => {
    const before = await broker.collect();
    const client = await connect();
    client.socket.write(
      'POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-target: AmazonSQS.SendMessage\r\ntransfer-encoding: chunked\r\n\r\n',
    );
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    while (!client.isClosed) {
      if (client.socket.write(chunk)) await new Promise(setImmediate);
      else await Promise.race([new Promise((resolve) => client.socket.once('drain', resolve)), client.closed]);
    }
    expect(client.answers.map(({ status }) => status)).toEqual([400]);
    expect((await broker.collect()).arrayBuffers - before.arrayBuffers).toBeLessThan(2 * MiB);
    await expectService();
  });

  it.each([
    ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx'],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['headers that are too long', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`],
  ])('of %s is answered with 400, and its connection closed', async (_, bytes) => {
    const client = await connect();
    client.socket.write(bytes, 'latin1');
    await client.closed;
    expect(client.answers.map(({ status }) => status)).toEqual([400]);
    await expectService();
  });

  it.each([
    ['nested without end', '['.repeat(3 * MiB)],
    ['deep', `{"QueueUrl":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`],
    ['wide', `{"QueueUrl":"q","Entries":[${'{},'.repeat(500_000)}{}]}`],
    ['no text', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]).toString('latin1')],
    ['of many names', `{${Array.from({ length: 100_000 }, (_, at) => `"a${at}":0`).join()}}`],
    ['of prototypes', '{"__proto__":{"QueueUrl":"q"},"constructor":{"prototype":{"QueueUrl":"q"}}}'],
  ])('in JSON that is %s is answered with 400', async (_, body) => {
    const client = await connect();
    expect((await client.call('SendMessageBatch', body)).status).toBe(400);
    await expectService();
  });
});

describe('slow senders', () => {
  it('are cut off, however many they are, and hold up nobody', async () => {
    await start({ requestTimeoutMs: 1000 });
    const slow = await Promise.all(Array.from({ length: 300 }, () => connect()));
    for (const [at, client] of slow.entries()) {
      const whole = jsonRequest('SendMessage', { QueueUrl: 'q', MessageBody: 'slow' });
      // Some stop in the headers, some in the body.
      client.socket.write(whole.slice(0, at % 2 === 0 ? 40 : whole.length - 5));
    }
    const dripping = setInterval(() => {
      for (const client of slow) if (!client.isClosed) client.socket.write('x');
    }, 200);
    await expectService();
    await Promise.all(slow.map(({ closed }) => closed));
    clearInterval(dripping);
    await counterIs('connections', 0);
    expect(await counter('broken-requests')).toBeGreaterThan(0);
    expect((await broker.report()).queues['q']).toMatchObject({ ready: 0, inFlight: 0 });
  });

  it('hold no more bytes than they may together; one more is told to come later', async () => {
    await start({ maxBufferedBytes: 8 * MiB, requestTimeoutMs: 2000 });
    const part = 'x'.repeat(3 * MiB);
    const slow = await Promise.all([connect(), connect(), connect()]);
    for (const client of slow) client.socket.write(jsonHead('SendMessage', 4 * MiB) + part);
    await Promise.race(slow.map((client) => client.answer(0)));
    const refused = slow.flatMap(({ answers }) => answers.map(({ status }) => status));
    expect(refused).toEqual([503]);
    for (const client of slow) client.destroy();
    await counterIs('connections', 0);
    await expectService();
  });
});

describe('wrong signatures', () => {
  const keys = [{ id: 'KEY', secret: SECRET, grants: [] }];
  const claim = (day: string, signature: string): string =>
    `x-amz-date: ${day}T000000Z\r\nauthorization: AWS4-HMAC-SHA256 Credential=KEY/${day}/region-${signature.slice(0, 8)}/sqs/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=${signature}\r\n`;

  it('are refused, thousands of them, and leave nothing behind', async () => {
    await start({ keys });
    const client = await connect();
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
    const hour = new Date().toISOString().slice(11, 19).replaceAll(':', '');
    const attack = async (count: number) => {
      for (let sent = 0; sent < count; sent++) {
        const signature = sent.toString(16).padStart(8, '0').repeat(8);
        const headers = claim(day, signature).replace('T000000Z', `T${hour}Z`);
        const before = client.answers.length;
        client.socket.write(jsonRequest('PurgeQueue', { QueueUrl: 'q' }, headers));
        expect((await client.answer(before)).head).toContain('SignatureDoesNotMatch;Sender');
        client.answers.length = 0;
      }
    };
    // As many keys to sign with as are kept.
    await attack(1500);
    const before = (await broker.collect()).heapUsed;
    await attack(3000);
    const grown = (await broker.collect()).heapUsed - before;
    figure('wrong signatures', 'heap', grown);
    expect(grown).toBeLessThan(1 * MiB);
    expect(await counter('errors/SignatureDoesNotMatch')).toBe(4500);
  });

  it('of another time are refused, so that what was heard long ago cannot be sent again', async () => {
    await start({ keys });
    const client = await connect();
    const before = client.answers.length;
    client.socket.write(jsonRequest('PurgeQueue', { QueueUrl: 'q' }, claim('20200101', '0'.repeat(64))));
    const { status, body } = await client.answer(before);
    expect([status, body]).toEqual([403, expect.stringContaining('Signature expired')]);
  });
});

describe('receives', () => {
  const wait = jsonRequest('ReceiveMessage', { QueueUrl: 'q', WaitTimeSeconds: 20, MaxNumberOfMessages: 10 });

  it(`wait, ${WAITERS} of them, in bounded memory, and each gets its message`, async () => {
    const before = await broker.collect();
    const waiters: RawHttp[] = [];
    for (let from = 0; from < WAITERS; from += 500) {
      waiters.push(...(await Promise.all(Array.from({ length: 500 }, () => connect()))));
      for (const client of waiters.slice(from)) client.socket.write(wait);
    }
    await counterIs('waiting-receives', WAITERS);
    const during = await broker.collect();
    const perWaiter = (during.heapUsed + during.external - before.heapUsed - before.external) / WAITERS;
    figure(
      'waiting receives',
      WAITERS,
      'bytes each',
      Math.round(perWaiter),
      'rss',
      Math.round((during.rss - before.rss) / MiB),
      'MiB',
    );
    expect(perWaiter).toBeLessThan(24 * 1024);
    expect(during.rss - before.rss).toBeLessThan(WAITERS * 64 * 1024);
    const sender = await connect();
    for (let sent = 0; sent < WAITERS; sent += 10) {
      const Entries = Array.from({ length: 10 }, (_, at) => ({ Id: `${at}`, MessageBody: `${sent + at}` }));
      expect((await sender.call('SendMessageBatch', { QueueUrl: 'q', Entries })).body).not.toContain('Failed');
    }
    const answers = await Promise.all(waiters.map((client) => client.answer(0)));
    const bodies = answers.flatMap(({ body }) => [...body.matchAll(/"Body":"(\d+)"/g)].map(([, text]) => Number(text)));
    expect(bodies.sort((one, other) => one - other)).toEqual(Array.from({ length: WAITERS }, (_, body) => body));
    expect(await counter('waiting-receives')).toBe(0);
    for (const client of waiters) client.destroy();
    await eventually(async () => (await counter('connections')) <= 1);
  }, 120_000);

  it('of clients that go away, or close their half, take nothing', async () => {
    for (const leave of [(client: RawHttp) => client.destroy(), (client: RawHttp) => client.socket.end()]) {
      const waiters = await Promise.all(Array.from({ length: 200 }, () => connect()));
      for (const client of waiters) client.socket.write(wait);
      await counterIs('waiting-receives', 200);
      for (const client of waiters) leave(client);
      await counterIs('waiting-receives', 0);
    }
    await expectService();
  });

  it('whose answers nobody takes give their messages back when the connection ends', async () => {
    await send(10, LARGE);
    const client = await connect();
    client.socket.pause();
    client.socket.write(wait);
    await queueHas({ inFlight: 10 });
    // They are taken before the answer is begun: that waits for the commit.
    await eventually(() => client.socket.bytesRead > 0);
    client.destroy();
    await queueHas({ ready: 10, inFlight: 0 });
    expect(await counter('released-answers')).toBe(1);
    const other = await connect();
    const asked = { QueueUrl: 'q', MaxNumberOfMessages: 10, AttributeNames: ['ApproximateReceiveCount'] };
    const { body } = await other.call('ReceiveMessage', asked);
    // Nobody had them: that does not count.
    expect(body.match(/"ApproximateReceiveCount":"1"/g)).toHaveLength(10);
  });

  it('whose answers nobody takes are no more than fit, and end after a while', async () => {
    await start({ maxUnsentBytes: 8 * MiB, requestTimeoutMs: 1000, stallTimeoutMs: 1000 });
    await send(20, LARGE);
    const stuck = await connect();
    stuck.socket.pause();
    stuck.socket.write(wait);
    await queueHas({ inFlight: 10 });
    const other = await connect();
    expect((await other.call('ReceiveMessage', { QueueUrl: 'q', MaxNumberOfMessages: 1 })).status).toBe(503);
    await queueHas({ ready: 20, inFlight: 0 });
    expect((await other.call('ReceiveMessage', { QueueUrl: 'q', MaxNumberOfMessages: 1 })).status).toBe(200);
  });

  it('that come one behind the other on one connection are answered in their order', async () => {
    const client = await connect();
    const count = 500;
    const requests = Array.from({ length: count }, (_, at) =>
      jsonRequest('SendMessage', { QueueUrl: 'q', MessageBody: `${at}` }),
    );
    client.socket.write(requests.join(''));
    await client.answer(count - 1);
    expect(new Set(client.answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect((await broker.report()).queues['q']).toMatchObject({ ready: count });
  });
});

it('connections beyond the limit are told so, and closed', async () => {
  await start({ maxConnections: 10 });
  const clients = await Promise.all(Array.from({ length: 10 }, () => connect()));
  const more = await Promise.all(Array.from({ length: 50 }, () => connect()));
  await Promise.all(more.map(({ closed }) => closed));
  expect(await counter('refused/connections')).toBe(50);
  expect(await counter('connections')).toBe(10);
  expect(more.filter(({ answers }) => answers[0]?.status === 503).length).toBeGreaterThan(0);
  for (const client of clients) client.destroy();
  await counterIs('connections', 0);
  await expectService();
});
