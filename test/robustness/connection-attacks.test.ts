/** Attacks by those who are nobody yet: whoever is connected is served meanwhile, and the log names each attack once. */
import { afterEach, describe, expect, it } from 'vitest';
import { BrokerProcess } from './support/broker-process.js';
import { connect, frame, section, text, u16 } from './support/packets.js';
import { eventually, RawClient, sleep } from './support/raw-client.js';
import { figure, IS_LONG } from './support/settings.js';
import { Witness } from './support/witness.js';

const MiB = 1024 * 1024;
let broker: BrokerProcess;

afterEach(() => broker.end());

function warningsAbout(lines: readonly string[], text: string): number {
  return lines.filter((line) => line.includes(text)).length;
}

it('CONNECTs that drip in byte by byte are over with the connect timeout', async () => {
  broker = await BrokerProcess.start({ limits: { connectTimeoutMs: 1500 } });
  const witness = await Witness.start(broker.port);
  const bytes = connect({ clientId: 'x'.repeat(1000) });
  const count = IS_LONG ? 2000 : 300;
  const clients = await Promise.all(Array.from({ length: count }, () => RawClient.open(broker.port)));
  for (let at = 0; at < 100 && clients.some(({ isClosed }) => !isClosed); at++) {
    for (const client of clients) if (!client.isClosed) client.send(bytes.subarray(at, at + 1));
    await sleep(50);
  }
  const report = await broker.report();
  expect(clients.every(({ isClosed }) => isClosed)).toBe(true);
  expect(report.closes['connect-timeout']).toBe(count);
  await witness.stop();
  expect(witness.longestMs).toBeLessThan(1000);
});

describe('a flood of connections', () => {
  it('from one address is closed at accept, and told of once', async () => {
    broker = await BrokerProcess.start({ listener: { connectRatePerAddress: 50, connectBurstPerAddress: 100 } });
    const witness = await Witness.start(broker.port);
    const before = await broker.collect();
    const rounds = IS_LONG ? 200 : 20;
    for (let round = 0; round < rounds; round++) {
      const batch = Array.from({ length: 200 }, () => new RawClient(broker.port));
      await sleep(20);
      for (const client of batch) client.destroy();
    }
    await eventually(async () => (await broker.report()).connections === 2);
    const after = await broker.collect();
    figure('flood', after.refusals['address-rate'], (after.heapUsed - before.heapUsed) / MiB, after.cpuMs);
    expect(after.refusals['address-rate']).toBeGreaterThan((rounds * 200) / 2);
    expect((after.heapUsed - before.heapUsed) / MiB).toBeLessThan(10);
    expect(warningsAbout(after.warnings, 'address-rate')).toBe(1);
    await witness.stop();
    expect(witness.longestMs).toBeLessThan(2000);
  });

  it('that stays is bounded for each address', async () => {
    broker = await BrokerProcess.start({ listener: { maxConnectionsPerAddress: 50 } });
    const witness = await Witness.start(broker.port);
    const clients = Array.from({ length: 500 }, () => new RawClient(broker.port));
    await eventually(() => clients.filter(({ isClosed }) => isClosed).length === 452);
    const { refusals, warnings } = await broker.report();
    expect(refusals['address-full']).toBe(452);
    expect(warningsAbout(warnings, 'address-full')).toBe(1);
    for (const client of clients) client.destroy();
    await witness.stop();
  });
});

it('user properties that fill the largest CONNECT there is hold up nobody', async () => {
  broker = await BrokerProcess.start();
  const witness = await Witness.start(broker.port);
  const property = Buffer.from([0x26, 0, 1, 0x61, 0, 1, 0x62]);
  const properties = Buffer.concat(new Array<Buffer>(9000).fill(property));
  const packet = (id: string) => frame(0x10, text('MQTT'), Buffer.from([5, 2]), u16(0), section(properties), text(id));
  await broker.resetDelay();
  const clients = await Promise.all(
    Array.from({ length: IS_LONG ? 1000 : 100 }, async (_, n) => {
      const client = await RawClient.open(broker.port);
      client.send(packet(`bomb-${n}`));
      await client.waitFor(2, () => true, 30_000);
      return client;
    }),
  );
  const { delayMaximumMs } = await broker.report();
  figure('user properties in CONNECT', delayMaximumMs, witness.longestMs);
  for (const client of clients) client.destroy();
  await witness.stop();
  expect(witness.longestMs).toBeLessThan(3000);
});

it('packets that are declared larger than a CONNECT may be cost nothing', async () => {
  broker = await BrokerProcess.start();
  const before = await broker.collect();
  const clients = await Promise.all(Array.from({ length: 200 }, () => RawClient.open(broker.port)));
  for (const client of clients) client.send(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]), Buffer.alloc(60_000));
  await eventually(() => clients.every(({ isClosed }) => isClosed));
  const after = await broker.collect();
  expect(after.closes['packet-too-large'] + after.closes['connect-refused']).toBe(200);
  expect((after.rss - before.rss) / MiB).toBeLessThan(64);
});
