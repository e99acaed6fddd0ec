/**
 * Workers that do what no worker should. Afterwards a good one gets what is left: every message has been with somebody, no queue misses
 * any, and nothing of the attackers is left in memory.
 */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createTemporaryDirectory } from '../support/temporary-directory.js';
import { BrokerProcess } from './support/broker-process.js';
import {
  acknowledgement,
  type ConnectOptions,
  type Packet,
  publish,
  readPublish,
  subscribe,
  unsubscribe,
} from './support/packets.js';
import { eventually, RawClient, sleep } from './support/raw-client.js';
import { figure, IS_LONG } from './support/settings.js';

const MiB = 1024 * 1024;
const MESSAGES = IS_LONG ? 20_000 : 4000;
const PUBLISH = 3;
const PUBACK = 4;
const SUBACK = 9;
const FILTER = '$queue/q';

let broker: BrokerProcess;
let heapBefore: number;
/** Payloads that somebody got. */
let seen: Set<string>;
let published: number;

beforeEach(async () => {
  broker = await BrokerProcess.start({
    defence: { takeovers: 0 },
    limits: { sysIntervalSeconds: 0 },
    directory: await createTemporaryDirectory(),
    workQueues: {
      queues: {
        q: { retry: { delaysMs: [10] } },
        small: { maxMessages: 500, retry: { delaysMs: [10] } },
        impatient: { retry: { delaysMs: [0] } },
      },
      rules: [
        { name: 'q', topics: ['t/#'], queues: ['q'], onFull: 'refuse' },
        { name: 'small', topics: ['small/#'], queues: ['small'], onFull: 'refuse' },
        { name: 'impatient', topics: ['impatient/#'], queues: ['impatient'], onFull: 'refuse' },
      ],
    },
  });
  seen = new Set();
  published = 0;
  // What is compiled and allocated once is not what an attack leaves behind.
  await fill(1000);
  await takeRest('q');
  heapBefore = (await broker.collect()).heapUsed;
});

afterEach(async () => {
  if (broker.hasExited) return;
  const report = await broker.report();
  await broker.end();
  expect(report.errors, report.lastErrors.join()).toBe(0);
});

/** Acknowledged messages into a queue. @returns how many were refused */
async function fill(count: number, topic = 't/1', payload = ''): Promise<number> {
  const client = await RawClient.connect(broker.port);
  let answers = 0;
  let refused = 0;
  client.onPacket = ({ type, body }) => {
    if (type !== PUBACK) return;
    answers++;
    if ((body[2] ?? 0) >= 0x80) refused++;
  };
  for (let sent = 0; sent < count; sent++) {
    const packetId = (sent % 1000) + 1;
    client.send(publish({ topic, payload: `${published++} ${payload}`, qos: 1, packetId }));
    if (packetId === 1000) await client.until(() => answers === sent + 1);
  }
  await client.until(() => answers === count);
  client.destroy();
  return refused;
}

function packetIdOf({ body }: Packet): number {
  return body.readUInt16BE(2 + body.readUInt16BE(0));
}

function note(packet: Packet): void {
  seen.add(readPublish(packet).payload.toString().split(' ')[0] ?? '');
}

/** @param onPublish instead of an acknowledgement */
async function work(
  onPublish: (client: RawClient, packet: Packet) => void = acknowledge,
  { queue = 'q', qos = 1, ...options }: ConnectOptions & { queue?: string; qos?: number } = {},
): Promise<RawClient> {
  const client = await RawClient.connect(broker.port, options);
  client.onPacket = (packet) => {
    if (packet.type !== PUBLISH) {
      client.packets.push(packet);
      return;
    }
    note(packet);
    onPublish(client, packet);
  };
  client.send(subscribe(1, [`$queue/${queue}`], qos));
  await client.waitFor(SUBACK);
  return client;
}

function acknowledge(client: RawClient, packet: Packet): void {
  client.send(acknowledgement(PUBACK, packetIdOf(packet)));
}

const ignore = (): void => {};

async function leftIn(queue: string): Promise<number> {
  const { ready = 0, inFlight = 0, delayed = 0 } = (await broker.report()).queues[queue] ?? {};
  return ready + inFlight + delayed;
}

async function takeRest(queue: string): Promise<void> {
  const worker = await work(acknowledge, { queue });
  await eventually(async () => (await leftIn(queue)) === 0, 30_000);
  worker.destroy();
}

/** @param refused messages that were not taken */
async function expectNothingWrong(queue = 'q', refused = 0): Promise<void> {
  await takeRest(queue);
  await eventually(async () => (await broker.report()).connections === 0);
  expect(published - seen.size).toBe(refused);
  const { heapUsed, queues } = await broker.collect();
  for (const { missing, consumers, waitingReceives } of Object.values(queues)) {
    expect({ missing, consumers, waitingReceives }).toEqual({ missing: 0, consumers: 0, waitingReceives: 0 });
  }
  figure('heap grown MiB', (heapUsed - heapBefore) / MiB);
  expect((heapUsed - heapBefore) / MiB).toBeLessThan(4);
}

it('workers that acknowledge nothing and go, again and again', async () => {
  await fill(MESSAGES);
  for (let round = 0; round < 20; round++) {
    const workers = await Promise.all(Array.from({ length: 20 }, () => work(ignore)));
    for (const [place, worker] of workers.entries()) {
      if (place % 2 === 0) worker.reset();
      else worker.destroy();
    }
  }
  await expectNothingWrong();
});

it('workers that acknowledge twice, in any order, and what they never had', async () => {
  await fill(MESSAGES);
  const spoilers = await Promise.all(
    Array.from({ length: 4 }, async (_, place) => {
      const held: number[] = [];
      return await work((client, packet) => {
        held.push(packetIdOf(packet));
        if (held.length < 8) return;
        // From behind, and from the middle.
        for (const packetId of [...held.splice(4), ...held.splice(0).reverse()]) {
          const reason = [0x00, 0x10, 0x80, 0x97][(packetId + place) % 4] ?? 0;
          client.send(acknowledgement(PUBACK, packetId, reason === 0x97 && packetId % 64 !== 0 ? 0 : reason));
          client.send(acknowledgement(PUBACK, packetId), acknowledgement(PUBACK, (packetId * 7 + 1) % 65_536 || 1));
        }
      });
    }),
  );
  await sleep(1500);
  for (const spoiler of spoilers) spoiler.destroy();
  await expectNothingWrong();
});

it('a worker that subscribes and unsubscribes without end', async () => {
  await fill(MESSAGES);
  const client = await work((itself, packet) => {
    if (packetIdOf(packet) % 3 !== 0) acknowledge(itself, packet);
  });
  const filters = [FILTER, `${FILTER}/#`, `${FILTER}/$envelope`];
  for (let round = 0; round < 1000; round++) {
    await client.sendSlowly(
      Buffer.concat([subscribe(2, filters, 1), unsubscribe(3, filters), subscribe(4, filters, 0)]),
    );
    await client.sendSlowly(unsubscribe(5, filters));
    client.packets.length = 0;
  }
  client.destroy();
  await eventually(async () => (await broker.report()).connections === 0);
  expect((await broker.report()).queues['q']).toMatchObject({ consumers: 0, inFlight: 0 });
  await expectNothingWrong();
});

it('a worker that is taken over every few milliseconds', async () => {
  await fill(MESSAGES);
  const clients: RawClient[] = [];
  for (let round = 0; round < 150; round++) {
    const client = await RawClient.connect(broker.port, {
      clientId: 'wanted',
      cleanStart: false,
      sessionExpirySeconds: 5,
    });
    client.onPacket = (packet) => {
      if (packet.type !== PUBLISH) return;
      note(packet);
      if (packetIdOf(packet) % 2 === 0) acknowledge(client, packet);
    };
    // From the second round on the session brings the subscription along.
    if (round === 0) client.send(subscribe(1, [FILTER], 1));
    clients.push(client);
    await sleep(10);
  }
  const last = clients.at(-1) as RawClient;
  await eventually(() => clients.filter(({ isClosed }) => isClosed).length === clients.length - 1);
  last.send(unsubscribe(2, [FILTER]));
  await sleep(50);
  last.destroy();
  await expectNothingWrong();
});

it('a thousand workers on one queue', { timeout: 120_000 }, async () => {
  const workers: RawClient[] = [];
  for (let count = 0; count < 1000; count += 100) {
    workers.push(...(await Promise.all(Array.from({ length: 100 }, () => work()))));
  }
  await fill(2 * MESSAGES);
  await eventually(async () => (await leftIn('q')) === 0, 30_000);
  const served = workers.filter(({ receivedBytes }) => receivedBytes > 100).length;
  figure('served', served);
  for (const worker of workers) worker.reset();
  expect(served).toBe(1000);
  await expectNothingWrong();
});

it.each([0, 1])('a worker at QoS %i that reads nothing while the queue fills up', async (qos) => {
  const deaf = await work(ignore, { queue: 'small', qos, receiveMaximum: 100 });
  deaf.stopReading();
  const refused = await fill(3000, 'small/1', 'x'.repeat(20_000));
  expect(refused).toBeGreaterThan(0);
  const { inFlight } = (await broker.report()).queues['small'] ?? { inFlight: -1 };
  expect(inFlight).toBeLessThanOrEqual(100);
  if (qos === 0) {
    // What was written to it counts as done: it gets that when it reads on.
    deaf.socket.resume();
    await eventually(async () => (await leftIn('small')) === 0, 30_000);
    await eventually(() => published - seen.size === refused);
  }
  deaf.destroy();
  await expectNothingWrong('small', refused);
});

it('a worker that takes one at a time, and one that can take hardly any', async () => {
  const short = await fill(200);
  const long = await fill(20, 't/long', 'x'.repeat(5000));
  const narrow = await work(acknowledge, { receiveMaximum: 1 });
  const tiny = await work(acknowledge, { maximumPacketSize: 60, receiveMaximum: 1 });
  await eventually(async () => (await leftIn('q')) === 0, 20_000);
  narrow.destroy();
  tiny.destroy();
  await expectNothingWrong('q', short + long);
});

it('a worker that can take nothing at all, from a queue that tries again at once', async () => {
  await fill(500, 'impatient/1', 'x'.repeat(500));
  const tiny = await work(acknowledge, { queue: 'impatient', maximumPacketSize: 60 });
  await sleep(500);
  await broker.resetDelay();
  await fill(500, 'impatient/1', 'x'.repeat(500));
  const { delayMaximumMs } = await broker.report();
  figure('delay', delayMaximumMs);
  expect(delayMaximumMs).toBeLessThan(1000);
  tiny.destroy();
  await expectNothingWrong('impatient');
});

it('floods of the control topic', { timeout: 120_000 }, async () => {
  await fill(MESSAGES);
  const ids: string[] = [];
  let answers = 0;
  const worker = await work((client, packet) => {
    const body = packet.body.toString('latin1');
    const at = body.indexOf('q-id') + 'q-id'.length + 2;
    ids.push(body.slice(at, at + 24));
    if (ids.length > 10) acknowledge(client, packet);
  });
  const { onPacket } = worker;
  worker.onPacket = (packet) => {
    if (packet.type === PUBACK) answers++;
    else onPacket?.(packet);
  };
  const payloads = [
    () => '{',
    () => `{"id": "${'x'.repeat(5000)}", "action": "ack"}`,
    () => JSON.stringify({ id: 'nobody', action: 'ack' }),
    () => JSON.stringify({ id: ids[0], action: 'extend', delay: 31_622_400 }),
    () => JSON.stringify({ id: ids[1], action: 'nack', delay: 0 }),
    () => JSON.stringify({ id: ids[2], action: 'ack' }),
    () => JSON.stringify([[[[]]]]),
  ];
  const topic = `${FILTER}/$ctl`;
  for (let round = 0; round < 5000; round++) {
    const packetId = (round % 500) + 1;
    const payload = payloads[round % payloads.length]?.() ?? '';
    await worker.sendSlowly(publish({ topic, payload, qos: 1, packetId }));
    if (packetId === 500) await worker.until(() => answers === round + 1);
  }
  worker.destroy();
  await expectNothingWrong();
});
