/** What one client alone may make the broker hold or do, without anybody reading or agreeing to it. */
import { afterEach, describe, expect, it } from 'vitest';
import { BrokerProcess } from './support/broker-process.js';
import { acknowledgement, PINGREQ, publish, subscribe } from './support/packets.js';
import { eventually, RawClient, sleep } from './support/raw-client.js';
import { figure, IS_LONG } from './support/settings.js';
import { Witness } from './support/witness.js';

const MiB = 1024 * 1024;
let broker: BrokerProcess;

afterEach(() => broker.end());

function repeat(packet: Buffer, bytes: number): Buffer {
  return Buffer.concat(new Array<Buffer>(Math.ceil(bytes / packet.length)).fill(packet));
}

/** Sends `chunk` again and again for `ms`, or until the broker has closed or reads no more. */
async function flood(client: RawClient, chunk: Buffer, ms: number): Promise<number> {
  const end = Date.now() + ms;
  let sent = 0;
  while (Date.now() < end && !client.isClosed) {
    await Promise.race([client.sendSlowly(chunk), sleep(end - Date.now())]);
    sent += chunk.length;
  }
  return sent;
}

describe('a client that sends and never reads', () => {
  it.each([
    ['PINGREQ', PINGREQ],
    ['QoS 1 PUBLISH', publish({ topic: 'a', qos: 1 })],
    ['PUBREL of unknown identifiers', acknowledgement(6, 7)],
    ['UNSUBSCRIBE', Buffer.from([0xa2, 6, 0, 1, 0, 0, 1, 0x61])],
  ])('cannot make answers to %s pile up', async (name, packet) => {
    broker = await BrokerProcess.start();
    const witness = await Witness.start(broker.port);
    const before = await broker.collect();
    const client = await RawClient.connect(broker.port);
    client.stopReading();
    const sent = await flood(client, repeat(packet, 256 * 1024), IS_LONG ? 10_000 : 1000);
    const after = await broker.collect();
    const grownMiB = (after.rss - before.rss) / MiB;
    figure(name, 'sent MiB', sent / MiB, 'grown MiB', grownMiB, after.closes['slow-consumer'], after.cpuMs);
    expect(grownMiB).toBeLessThan(64);
    await witness.stop();
    expect(witness.longestMs).toBeLessThan(2000);
  });
});

it('SUBSCRIBEs that bring retained messages nobody reads do not pile up', async () => {
  broker = await BrokerProcess.start();
  const witness = await Witness.start(broker.port);
  const publisher = await RawClient.connect(broker.port);
  for (let i = 0; i < 2000; i++)
    publisher.send(publish({ topic: `retained/${i}`, payload: Buffer.alloc(1000), retain: true }));
  await eventually(async () => (await broker.report()).retained > 2000);
  const before = await broker.collect();
  const client = await RawClient.connect(broker.port);
  client.stopReading();
  const packet = subscribe(1, new Array<string>(1024).fill('#'));
  await flood(client, repeat(packet, 256 * 1024), IS_LONG ? 10_000 : 1000);
  await sleep(100);
  const after = await broker.collect();
  figure('replays grown', (after.rss - before.rss) / MiB, after.delayMaximumMs);
  expect((after.rss - before.rss) / MiB).toBeLessThan(100);
  await witness.stop();
  expect(witness.longestMs).toBeLessThan(2000);
});

// Not solved: 100,000 subscriptions of one session are counted, their levels are not. 41 bytes for each byte sent.
it('filters of 128 levels take memory in proportion to what was sent', async () => {
  broker = await BrokerProcess.start({ heapMb: 1024 });
  const before = await broker.collect();
  const client = await RawClient.connect(broker.port);
  let sent = 0;
  let id = 1;
  for (let i = 0; i < 30_000 && !client.isClosed; i += 1000) {
    const filters = Array.from({ length: 1000 }, (_, n) => `${i + n}/${'+/'.repeat(126)}a`);
    const packet = subscribe(id++, filters);
    sent += packet.length;
    client.send(packet);
    await client.until(() => client.packets.length >= id);
  }
  const after = await broker.collect();
  figure('levels: sent', sent / MiB, 'heap', (after.heapUsed - before.heapUsed) / MiB, after.subscriptions);
  expect((after.heapUsed - before.heapUsed) / sent).toBeLessThan(20);
});

// Not solved: the limit counts content, not the nodes of the tree. 34 bytes for each byte counted.
it('retained topics of 128 levels stay within the limit of retained bytes', async () => {
  broker = await BrokerProcess.start({ heapMb: 1024, limits: { retainedMaximumBytes: 10 * MiB } });
  const before = await broker.collect();
  const client = await RawClient.connect(broker.port);
  for (let i = 0; i < 30_000; i++) {
    await client.sendSlowly(publish({ topic: `${i}/${'a/'.repeat(126)}b`, payload: 'x', retain: true }));
  }
  client.send(PINGREQ);
  await client.waitFor(13);
  const after = await broker.collect();
  figure('retained', (after.heapUsed - before.heapUsed) / MiB, after.retained);
  expect((after.heapUsed - before.heapUsed) / MiB).toBeLessThan(100);
});

it('many overlapping filters with identifiers of one client do not hold the event loop', async () => {
  broker = await BrokerProcess.start();
  const client = await RawClient.connect(broker.port);
  const levels = 13;
  const count = 2 ** levels;
  let id = 0;
  for (let from = 0; from < count; from += 512) {
    id++;
    const filters = Array.from({ length: 512 }, (_, n) =>
      Array.from({ length: levels }, (_, level) => (((from + n) >> level) & 1 ? '+' : 'a')).join('/'),
    );
    client.send(subscribe(id, filters, 0, 5, id));
    await client.until(() => client.packets.length > id);
  }
  await broker.resetDelay();
  client.send(publish({ topic: new Array(levels).fill('a').join('/'), payload: 'x' }));
  await client.waitFor(3);
  await sleep(50);
  const { delayMaximumMs } = await broker.report();
  figure('overlap', count, delayMaximumMs);
  expect(delayMaximumMs).toBeLessThan(1000);
});

it('a SUBSCRIBE full of user properties does not hold the event loop', async () => {
  broker = await BrokerProcess.start();
  const client = await RawClient.connect(broker.port);
  const property = Buffer.from([0x26, 0, 1, 0x61, 0, 1, 0x62]);
  const properties = repeat(property, 900_000);
  const { frame, section, text, u16 } = await import('./support/packets.js');
  const packet = frame(0x82, u16(1), section(properties), text('a'), Buffer.from([0]));
  await broker.resetDelay();
  client.send(packet);
  await client.waitFor(9);
  await sleep(50);
  const { delayMaximumMs } = await broker.report();
  figure('user properties', delayMaximumMs);
  expect(delayMaximumMs).toBeLessThan(1000);
});

it('searches for retained messages that lead nowhere leave others their turns', async () => {
  broker = await BrokerProcess.start();
  const witness = await Witness.start(broker.port);
  const publisher = await RawClient.connect(broker.port);
  for (let i = 0; i < 50_000; i++)
    await publisher.sendSlowly(publish({ topic: `r/${i}/a`, payload: 'x', retain: true }));
  await eventually(async () => (await broker.report()).retained > 50_000);
  await broker.resetDelay();
  const client = await RawClient.connect(broker.port);
  const packet = subscribe(
    1,
    Array.from({ length: 1024 }, (_, n) => `+/+/none${n}`),
  );
  client.send(packet, packet, packet, packet);
  for (let i = 0; i < 500; i++) {
    client.send(PINGREQ);
    await sleep(1);
  }
  await sleep(300);
  const { delayMaximumMs } = await broker.report();
  figure('searches', delayMaximumMs, witness.longestMs);
  await witness.stop();
  expect(witness.longestMs).toBeLessThan(2000);
});
