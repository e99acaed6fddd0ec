/** Wills over an end of the broker, told or not: what was promised for a client that goes silent is kept by the next run. */
import { expect } from 'vitest';
import { DurableBroker } from '../../support/durable-broker.js';
import type { ConnectFields, RawClient } from '../../support/raw-client.js';
import { persistent } from '../../support/test-broker.js';
import { sequence } from '../sequence.js';

const ENDS = ['restart', 'crash'] as const;
const WILL = { topic: 'w', payload: 'gone', qos: 1 as const, retain: false };

/** A session of 1000 s, and a will that waits 100 s. */
const PATIENT: ConnectFields = { ...persistent(5, 1000), will: { ...WILL, properties: { willDelayInterval: 100 } } };

/** A broker with a kept session that watches for wills and is away. */
async function startWatched(version: 4 | 5): Promise<DurableBroker> {
  const durable = await DurableBroker.start();
  const watcher = await durable.test.connect('watcher', persistent(version));
  await watcher.subscribe('w', 1);
  await watcher.disconnect();
  await durable.test.gone('watcher');
  return durable;
}

/** The watcher, back on a later run. */
async function watch(durable: DurableBroker, version: 4 | 5): Promise<RawClient> {
  const watcher = await durable.test.connect('watcher', persistent(version));
  await durable.settle();
  await watcher.barrier();
  return watcher;
}

async function expectWill(watcher: RawClient): Promise<void> {
  const { topic, payload, messageId = 0 } = await watcher.expectPacket('publish');
  expect([topic, payload.toString()]).toEqual(['w', 'gone']);
  watcher.send({ cmd: 'puback', messageId });
  await watcher.expectNothing();
}

for (const end of ENDS) {
  sequence(
    {
      versions: [4, 5],
      shows: ['MQTT-3.1.2-8+', 'MQTT-3.1.2-10-'],
      title: `the will of a connected client is published once, after a ${end}`,
    },
    async ({ version }) => {
      const first = await startWatched(version);
      await first.test.connect('c', { version, will: WILL });
      await first.settle();
      const second = await first[end]();
      await expectWill(await watch(second, version));
      const third = await second[end]();
      await (await watch(third, version)).expectNothing();
    },
  );

  sequence(
    {
      versions: [4, 5],
      shows: ['MQTT-3.1.2-10-', 'MQTT-3.14.4-3-'],
      title: `a will that DISCONNECT has deleted does not come back after a ${end}`,
    },
    async ({ version }) => {
      const first = await startWatched(version);
      const client = await first.test.connect('c', { ...persistent(version), will: WILL });
      await client.disconnect();
      await first.test.gone('c');
      await first.settle();
      const second = await first[end](10_000_000);
      second.clock.advance(1000);
      await (await watch(second, version)).expectNothing();
    },
  );

  sequence(
    {
      versions: [5],
      shows: ['MQTT-3.1.2-8+', 'MQTT-3.1.3-9+'],
      title: `a will delay runs on over a ${end}, neither less nor more`,
    },
    async () => {
      const first = await startWatched(5);
      await first.test.drop(await first.test.connect('c', PATIENT), 'c');
      await first.settle();
      const second = await first[end](60_000);
      const watcher = await watch(second, 5);
      second.clock.advance(39_000);
      await watcher.expectNothing();
      second.clock.advance(2_000);
      await expectWill(watcher);
    },
  );

  sequence(
    {
      versions: [5],
      shows: ['MQTT-3.1.3-9-'],
      title: `a client that comes back after a ${end}, within the delay, has no will published`,
    },
    async () => {
      const first = await startWatched(5);
      await first.test.drop(await first.test.connect('c', PATIENT), 'c');
      await first.settle();
      const second = await first[end](60_000);
      const { connack } = await second.test.connectFully('c', persistent(5, 1000));
      expect(connack.sessionPresent).toBe(true);
      second.clock.advance(500_000);
      await (await watch(second, 5)).expectNothing();
    },
  );

  sequence(
    {
      versions: [5],
      shows: ['MQTT-3.1.2-8+', 'MQTT-4.1.0-2-'],
      title: `a session that ends during a ${end} has its will published by then, whatever the delay`,
    },
    async () => {
      const first = await startWatched(5);
      const will = { ...WILL, properties: { willDelayInterval: 3600 } };
      await first.test.drop(await first.test.connect('c', { ...persistent(5, 30), will }), 'c');
      await first.settle();
      const second = await first[end](60_000);
      second.clock.advance(100);
      await expectWill(await watch(second, 5));
      const { connack } = await second.test.connectFully('c', persistent(5));
      expect(connack.sessionPresent).toBe(false);
    },
  );
}
