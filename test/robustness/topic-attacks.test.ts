/** Attacks by topics and filters: what is kept of them is bounded, and who publishes honestly is served meanwhile. */
import { afterEach, expect, it } from 'vitest';
import { BrokerProcess } from './support/broker-process.js';
import { PINGREQ, publish, subscribe, unsubscribe } from './support/packets.js';
import { eventually, RawClient, sleep } from './support/raw-client.js';
import { figure, IS_LONG } from './support/settings.js';
import { Witness } from './support/witness.js';

const MiB = 1024 * 1024;
const QUOTA_EXCEEDED = 0x97;
const TOPIC_NAME_INVALID = 0x90;
const FILTER_INVALID = 0x8f;
let broker: BrokerProcess;

afterEach(() => broker.end());

it('topics that are published to once each leave nothing', { timeout: 300_000 }, async () => {
  broker = await BrokerProcess.start();
  const witness = await Witness.start(broker.port);
  const client = await RawClient.connect(broker.port);
  const before = await broker.collect();
  const count = IS_LONG ? 5_000_000 : 300_000;
  for (let i = 0; i < count; i += 1000) {
    const packets = Array.from({ length: 1000 }, (_, n) =>
      publish({ topic: `explosion/${i + n}/value`, payload: 'x' }),
    );
    await client.sendSlowly(Buffer.concat(packets));
    // The witness lives in this process, too.
    await sleep(1);
  }
  client.send(PINGREQ);
  await client.waitFor(13, () => true, 60_000);
  const after = await broker.collect();
  figure('topics', count, 'grown MiB', (after.heapUsed - before.heapUsed) / MiB, witness.longestMs);
  expect((after.heapUsed - before.heapUsed) / MiB).toBeLessThan(64);
  await witness.stop();
  expect(witness.longestMs).toBeLessThan(2000);
});

it('200 levels are refused, as a topic and as a filter', async () => {
  broker = await BrokerProcess.start();
  const deep = new Array(200).fill('a').join('/');
  const subscriber = await RawClient.connect(broker.port);
  subscriber.send(subscribe(1, [deep, `${deep}/#`, 'shallow']));
  const { body } = await subscriber.waitFor(9);
  expect([...body.subarray(-3)]).toEqual([FILTER_INVALID, FILTER_INVALID, 0]);
  const publisher = await RawClient.connect(broker.port);
  publisher.send(publish({ topic: deep, payload: 'x' }));
  await publisher.closed;
  expect(publisher.disconnectReason).toBe(TOPIC_NAME_INVALID);
});

it('topics longer than allowed are refused, as a topic and as a filter', async () => {
  broker = await BrokerProcess.start({ limits: { maximumTopicLength: 100 } });
  const subscriber = await RawClient.connect(broker.port);
  subscriber.send(subscribe(1, ['x'.repeat(101), 'x'.repeat(100)]));
  const { body } = await subscriber.waitFor(9);
  expect([...body.subarray(-2)]).toEqual([FILTER_INVALID, 0]);
  const publisher = await RawClient.connect(broker.port);
  publisher.send(publish({ topic: 'x'.repeat(101), payload: 'x' }));
  await publisher.closed;
  expect(publisher.disconnectReason).toBe(TOPIC_NAME_INVALID);
});

it('a client that subscribes without end is told when it is enough', async () => {
  broker = await BrokerProcess.start({ limits: { maximumSubscriptionsPerSession: 1000 } });
  const client = await RawClient.connect(broker.port);
  let granted = 0;
  let refused = 0;
  for (let id = 1; id <= 5; id++) {
    client.send(
      subscribe(
        id,
        Array.from({ length: 500 }, (_, n) => `s/${id}/${n}/+`),
      ),
    );
    await client.until(() => client.packets.length > id);
    const codes = [...(client.packets[id]?.body.subarray(-500) ?? [])];
    granted += codes.filter((code) => code === 0).length;
    refused += codes.filter((code) => code === QUOTA_EXCEEDED).length;
  }
  expect([granted, refused]).toEqual([1000, 1500]);
  client.destroy();
  await eventually(async () => (await broker.report()).subscriptions === 0);
});

it('many clients with filters that match everything keep nobody from being served', async () => {
  broker = await BrokerProcess.start();
  const filters = ['#', '+/#', '+/+/#', '+/+', '+/+/+', 'storm/#', 'storm/+', '+/a', '+/+/b', 'storm/+/b'];
  const clients = await Promise.all(
    Array.from({ length: IS_LONG ? 500 : 50 }, async () => {
      const client = await RawClient.connect(broker.port);
      client.onPacket = () => {};
      client.send(subscribe(1, filters));
      return client;
    }),
  );
  const witness = await Witness.start(broker.port);
  const publisher = await RawClient.connect(broker.port);
  for (let i = 0; i < 2000; i++) await publisher.sendSlowly(publish({ topic: `storm/${i}/b`, payload: 'x' }));
  publisher.send(PINGREQ);
  await publisher.waitFor(13, () => true, 60_000);
  await witness.stop(30_000);
  figure('wildcards', witness.longestMs);
  expect(witness.longestMs).toBeLessThan(5000);
  for (const client of clients) client.destroy();
});

it('retained messages beyond the limit are refused, and take no memory', async () => {
  broker = await BrokerProcess.start({
    limits: { retainedMaximumMessages: 1000, retainedMaximumBytes: MiB, sysIntervalSeconds: 0 },
  });
  const client = await RawClient.connect(broker.port);
  const before = await broker.collect();
  let id = 0;
  const refused = new Set<number>();
  client.onPacket = ({ type, body }) => {
    if (type === 4 && body[2] === QUOTA_EXCEEDED) refused.add(body.readUInt16BE(0));
    if (type === 4) id = body.readUInt16BE(0);
  };
  const count = IS_LONG ? 50_000 : 5000;
  for (let i = 1; i <= count; i++) {
    await client.sendSlowly(
      publish({ topic: `r/${i}`, payload: Buffer.alloc(100), retain: true, qos: 1, packetId: i }),
    );
    if (i % 500 === 0) await eventually(() => id === i);
  }
  const after = await broker.collect();
  expect(after.retained).toBeLessThanOrEqual(1000);
  expect(refused.size).toBeGreaterThanOrEqual(count - 1000);
  expect((after.heapUsed - before.heapUsed) / MiB).toBeLessThan(10);
});

it('thousands of shared groups that come and go leave nothing', { timeout: 120_000 }, async () => {
  broker = await BrokerProcess.start();
  const witness = await Witness.start(broker.port);
  const before = await broker.collect();
  for (let round = 0; round < (IS_LONG ? 50 : 5); round++) {
    const clients = await Promise.all(Array.from({ length: 10 }, () => RawClient.connect(broker.port)));
    for (const [index, client] of clients.entries()) {
      const filters = Array.from({ length: 1000 }, (_, n) => `$share/group-${round}-${n}/shared/${index % 2}/#`);
      client.send(subscribe(1, filters));
      if (index % 3 === 0) client.send(unsubscribe(2, filters.slice(0, 500)));
    }
    await Promise.all(clients.map((client) => client.waitFor(9, () => true, 30_000)));
    const publisher = await RawClient.connect(broker.port);
    for (let i = 0; i < 10; i++) publisher.send(publish({ topic: 'shared/0/x', payload: 'x' }));
    publisher.send(PINGREQ);
    await publisher.waitFor(13, () => true, 30_000);
    for (const client of [...clients, publisher]) client.destroy();
    await eventually(async () => (await broker.report()).subscriptions === 1, 20_000);
  }
  const after = await broker.collect();
  figure('groups grown MiB', (after.heapUsed - before.heapUsed) / MiB, witness.longestMs);
  expect((after.heapUsed - before.heapUsed) / MiB).toBeLessThan(20);
  await witness.stop();
  expect(witness.longestMs).toBeLessThan(3000);
});
