/** Many clients, or one very busy one: afterwards nothing is left of them, and meanwhile others are served. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BrokerProcess } from './support/broker-process.js';
import { acknowledgement, connect, PINGREQ, publish, readPublish, subscribe, unsubscribe } from './support/packets.js';
import { eventually, RawClient, sleep } from './support/raw-client.js';
import { figure, IS_LONG } from './support/settings.js';
import { Witness } from './support/witness.js';

const MiB = 1024 * 1024;
let broker: BrokerProcess;

beforeEach(async () => {
  // Takeovers without end are what is tried here.
  broker = await BrokerProcess.start({ limits: { sysIntervalSeconds: 0 }, defence: { takeovers: 0 } });
});

afterEach(async () => {
  const report = await broker.report();
  expect(report.errors, report.lastErrors.join()).toBe(0);
  await broker.end();
});

async function expectNothingLeft(heapBefore: number, sessions = 0): Promise<void> {
  await eventually(async () => (await broker.report()).connections === 0);
  await sleep(1200);
  const after = await broker.collect();
  expect(after.sessions).toBe(sessions);
  expect(after.subscriptions).toBe(0);
  figure('heap grown MiB', (after.heapUsed - heapBefore) / MiB, 'rss', after.rss / MiB, 'delay', after.delayMaximumMs);
  expect((after.heapUsed - heapBefore) / MiB).toBeLessThan(4);
}

it('a storm of takeovers of one client id leaves one session', async () => {
  const { heapUsed } = await broker.collect();
  const clients: RawClient[] = [];
  for (let round = 0; round < 20; round++) {
    const batch = await Promise.all(Array.from({ length: 50 }, () => RawClient.open(broker.port)));
    for (const client of batch) {
      client.send(connect({ clientId: 'wanted', will: { topic: 'w', payload: 'w' } }), subscribe(1, ['a', 'b/#']));
    }
    clients.push(...batch);
  }
  const isTold = (client: RawClient) => client.isClosed && client.disconnectReason === 0x8e;
  await eventually(() => clients.filter(isTold).length === clients.length - 1, 10_000);
  const report = await broker.report();
  expect(report.sessions).toBe(1);
  expect(report.closes['session-taken-over']).toBe(clients.length - 1);
  for (const client of clients) client.destroy();
  await expectNothingLeft(heapUsed);
});

it('100,000 subscribes and unsubscribes leave nothing', { timeout: 60_000 }, async () => {
  const { heapUsed } = await broker.collect();
  const witness = await Witness.start(broker.port);
  const client = await RawClient.connect(broker.port);
  const publisher = await RawClient.connect(broker.port);
  let answers = 0;
  client.onPacket = ({ type }) => {
    if (type === 9 || type === 11) answers++;
  };
  for (let i = 0; i < 1000; i++) {
    const filters = Array.from({ length: 100 }, (_, n) =>
      n % 3 === 0 ? `a/${i}/+/${n}` : `$share/g${n}/b/${i}/${n}/#`,
    );
    await client.sendSlowly(Buffer.concat([subscribe(1, filters, 1), unsubscribe(2, filters)]));
    publisher.send(publish({ topic: `b/${i}/5/x` }), publish({ topic: `a/${i}/x/3` }));
  }
  await eventually(() => answers === 2000, 30_000);
  await witness.stop();
  expect(witness.longestMs).toBeLessThan(2000);
  client.destroy();
  publisher.destroy();
  await expectNothingLeft(heapUsed);
});

it('connections that come and go in thousands leave nothing', { timeout: 60_000 }, async () => {
  const { heapUsed } = await broker.collect();
  for (let round = 0; round < 40; round++) {
    const batch = await Promise.all(
      Array.from({ length: 100 }, (_, n) => RawClient.connect(broker.port, { clientId: `c${round}-${n}` })),
    );
    for (const client of batch) {
      client.send(subscribe(1, [`own/${round}/+`, '#']), publish({ topic: `own/${round}/x`, qos: 2 }));
    }
    await Promise.all(batch.map((client) => client.waitFor(5)));
    for (const [n, client] of batch.entries()) {
      if (n % 2 === 0) client.reset();
      else client.destroy();
    }
  }
  await expectNothingLeft(heapUsed);
});

it('thousands of wills at once arrive, and others are served meanwhile', { timeout: 60_000 }, async () => {
  const count = IS_LONG ? 10_000 : 3_000;
  const witness = await Witness.start(broker.port);
  const reader = await RawClient.connect(broker.port);
  reader.send(subscribe(1, ['will/#']));
  await reader.waitFor(9);
  let wills = 0;
  reader.onPacket = () => wills++;
  const clients: RawClient[] = [];
  for (let i = 0; i < count; i += 100) {
    const options = (n: number) => ({ clientId: `w${i + n}`, will: { topic: `will/${i + n}`, payload: 'gone' } });
    clients.push(
      ...(await Promise.all(Array.from({ length: 100 }, (_, n) => RawClient.connect(broker.port, options(n))))),
    );
  }
  await broker.resetDelay();
  const startedAt = performance.now();
  for (const client of clients) client.reset();
  await eventually(() => wills === count, 20_000);
  const report = await broker.report();
  figure(
    'wills',
    count,
    'in ms',
    performance.now() - startedAt,
    'delay',
    report.delayMaximumMs,
    'witness',
    witness.longestMs,
  );
  expect(report.delayMaximumMs).toBeLessThan(2000);
  await witness.stop(10_000);
});

it('half-open connections without CONNECT are closed after the connect timeout', { timeout: 30_000 }, async () => {
  const other = await BrokerProcess.start({ limits: { connectTimeoutMs: 1000 } });
  const witness = await Witness.start(other.port);
  const clients: RawClient[] = [];
  for (let i = 0; i < 2000; i += 100) {
    clients.push(...(await Promise.all(Array.from({ length: 100 }, () => RawClient.open(other.port)))));
  }
  for (const client of clients) client.send(connect().subarray(0, 5));
  await eventually(() => clients.every((client) => client.isClosed), 5_000);
  expect((await other.report()).closes['connect-timeout']).toBe(2000);
  await witness.stop();
  expect(witness.longestMs).toBeLessThan(2000);
  await other.end();
});

it('random garbage, before and after CONNECT, disturbs nobody', { timeout: 60_000 }, async () => {
  const before = await broker.collect();
  const witness = await Witness.start(broker.port);
  const { randomSource } = await import('./support/random-source.js');
  const random = randomSource(42);
  const garbage = Buffer.from(Uint8Array.from({ length: MiB }, () => random() * 256));
  let peak = 0;
  for (let round = 0; round < 60; round++) {
    const client = await RawClient.open(broker.port);
    if (round % 2 === 0) client.send(connect({ version: round % 4 === 0 ? 5 : 4 }));
    const shifted = Buffer.concat([garbage.subarray(round * 1000), garbage.subarray(0, round * 1000)]);
    await client.sendSlowly(shifted);
    await Promise.race([client.closed, sleep(2000)]);
    expect(client.isClosed).toBe(true);
    if (round % 4 === 0) expect([0x81, 0x82, 0x93, 0x94, 0x95, 0x90]).toContain(client.disconnectReason);
    if (round % 4 === 2) expect(client.disconnectReason).toBe(-1);
    peak = Math.max(peak, (await broker.report()).rss);
  }
  await witness.stop();
  figure('garbage peak', (peak - before.rss) / MiB, 'latency', witness.longestMs);
  expect(witness.longestMs).toBeLessThan(2000);
  expect((peak - before.rss) / MiB).toBeLessThan(128);
});

describe('a packet that is declared to be of 256 MB', () => {
  const header = Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]);

  it('is refused on its header with 0x95', async () => {
    const client = await RawClient.connect(broker.port);
    for (const byte of header) client.send(Buffer.from([byte]));
    await client.closed;
    expect(client.disconnectReason).toBe(0x95);
    expect((await broker.report()).closes['packet-too-large']).toBe(1);
  });

  it('is refused before CONNECT', async () => {
    const client = await RawClient.open(broker.port);
    client.send(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]));
    await client.closed;
  });

  it('with a raised limit takes the memory of what has come', async () => {
    const other = await BrokerProcess.start({ limits: { maximumPacketSize: 268_435_455 + 5 } });
    const before = await other.collect();
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(other.port)));
    for (const client of clients) client.send(header);
    for (let i = 0; i < 100; i++) for (const client of clients) await client.sendSlowly(Buffer.alloc(1460));
    await sleep(100);
    const after = await other.collect();
    figure('declared grown', (after.rss - before.rss) / MiB);
    expect((after.rss - before.rss) / MiB).toBeLessThan(40);
    for (const client of clients) client.destroy();
    await other.end();
  });

  it('0x95 arrives while the client is still sending', async () => {
    for (let i = 0; i < 20; i++) {
      const client = await RawClient.connect(broker.port);
      client.send(header);
      for (let n = 0; n < 64; n++) client.send(Buffer.alloc(65_536));
      await client.closed;
      expect(client.disconnectReason).toBe(0x95);
    }
  });
});

it('large messages reach a client that reads, one after the other', { timeout: 30_000 }, async () => {
  const other = await BrokerProcess.start({ limits: { maximumPacketSize: 64 * MiB } });
  const reader = await RawClient.connect(other.port);
  reader.send(subscribe(1, ['big'], 0));
  await reader.waitFor(9);
  const publisher = await RawClient.connect(other.port);
  const packet = publish({ topic: 'big', payload: Buffer.alloc(10 * MiB) });
  for (let i = 0; i < 10; i++) publisher.send(packet);
  await reader.until(() => reader.packets.filter(({ type }) => type === 3).length === 10, 15_000);
  await other.end();
});

it('10,000 subscriptions of one client that match one message cost one copy and little time', async () => {
  const client = await RawClient.connect(broker.port);
  let id = 0;
  const levels = 14;
  for (let from = 0; from < 10_000; from += 500) {
    const filters = Array.from({ length: 500 }, (_, n) =>
      Array.from({ length: levels }, (_, level) => (((from + n) >> level) & 1 ? '+' : 'a')).join('/'),
    );
    client.send(subscribe(++id, filters, 0, 5, id));
    await client.until(() => client.packets.length > id);
  }
  await broker.resetDelay();
  const topic = new Array(levels).fill('a').join('/');
  client.send(publish({ topic, payload: 'x' }), PINGREQ);
  await client.waitFor(13);
  expect(client.publishes().length).toBe(1);
  await sleep(100);
  const report = await broker.report();
  figure('10,000 matches: delay', report.delayMaximumMs, 'cpu', report.cpuMs);
  expect(report.delayMaximumMs).toBeLessThan(2000);
});

it('topics of 65,535 bytes and of 128 levels work; aliases churn', async () => {
  const client = await RawClient.connect(broker.port, { topicAliasMaximum: 3 });
  const long = 'x'.repeat(65_535);
  const deep = new Array(128).fill('d').join('/');
  client.send(subscribe(1, [long, new Array(128).fill('+').join('/'), 'alias/#'], 1));
  await client.waitFor(9);
  const alias = (n: number) => Buffer.from([0x23, 0, n]);
  client.send(publish({ topic: long, payload: 'long' }), publish({ topic: deep, payload: 'deep' }));
  for (let i = 0; i < 1000; i++) {
    const number = 1 + (i % 64);
    client.send(
      publish({ topic: `alias/${i}`, properties: alias(number) }),
      publish({ topic: '', payload: String(i), properties: alias(number) }),
    );
  }
  await client.until(() => client.packets.filter(({ type }) => type === 3).length === 2002);
  const first = client.packets
    .filter(({ type }) => type === 3)
    .slice(0, 2)
    .map((packet) => readPublish(packet));
  expect(first.map(({ payload }) => payload)).toEqual(['long', 'deep']);
  client.send(acknowledgement(4, 9999), PINGREQ);
  await client.waitFor(13);
});

it('stop() under full load tells clients, and ends every connection', { timeout: 30_000 }, async () => {
  const subscribers = await Promise.all(Array.from({ length: 50 }, () => RawClient.connect(broker.port)));
  for (const client of subscribers) client.send(subscribe(1, ['t']));
  const publishers = await Promise.all(Array.from({ length: 10 }, () => RawClient.connect(broker.port)));
  const silent = await Promise.all(Array.from({ length: 20 }, () => RawClient.open(broker.port)));
  let isOver = false;
  const batch = Buffer.concat(new Array<Buffer>(50).fill(publish({ topic: 't', payload: Buffer.alloc(200), qos: 1 })));
  const loops = publishers.map(async (client) => {
    while (!isOver && !client.isClosed) {
      client.packets.length = Math.min(client.packets.length, 1);
      await client.sendSlowly(batch);
      await sleep(5);
    }
  });
  await sleep(1000);
  for (const client of subscribers) client.onPacket = (packet) => packet.type === 14 && client.packets.push(packet);
  const startedAt = performance.now();
  await broker.stop(3000);
  const tookMs = performance.now() - startedAt;
  isOver = true;
  await Promise.all(
    [...subscribers, ...publishers, ...silent].map((client) => Promise.race([client.closed, sleep(2000)])),
  );
  await Promise.all(loops);
  figure('stop took', tookMs);
  expect([...subscribers, ...publishers, ...silent].filter((client) => !client.isClosed).length).toBe(0);
  expect(subscribers.filter((client) => client.disconnectReason !== 0x8b).length).toBe(0);
  expect(tookMs).toBeLessThan(6000);
});
