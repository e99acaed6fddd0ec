import { setTimeout as realTime } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import { DurableBroker } from '../../support/durable-broker.js';
import { publishPacket } from '../../support/publish-packet.js';
import { persistent } from '../../support/test-broker.js';
import { sequence } from '../sequence.js';

const TIMEOUT_MS = 30_000;

sequence(
  {
    versions: [4],
    shows: ['MQTT-4.8.0-2+', 'MQTT-4.8.0-2-'],
    title: 'a PUBLISH that cannot be stored for too long is not acknowledged, and its connection is closed',
  },
  async () => {
    const durable = await DurableBroker.start({ limits: { storageFailureTimeoutMs: TIMEOUT_MS } });
    const subscriber = await durable.test.connect('s', persistent(4));
    await subscriber.subscribe('t', 1);
    await subscriber.disconnect();
    const publisher = await durable.test.connect('p', { version: 4 });
    await durable.settle();
    durable.level.failures = Number.POSITIVE_INFINITY;
    // A broker that cannot store what it has been given says so when it is stopped.
    onTestFinished(() => {
      durable.level.failures = 0;
    });
    durable.level.putNow('test:fails', Buffer.from('x'));
    while (durable.store.health.state !== 'failing') {
      durable.clock.advance(100);
      await realTime(5);
    }
    publisher.send(publishPacket('t', 'x', { qos: 1, messageId: 1 }));
    while (durable.broker.metrics.publishersHeld === 0) await realTime(1);
    durable.clock.advance(TIMEOUT_MS + 2000);
    await publisher.expectClosed();
    expect(durable.broker.metrics.closesOf('storage-unavailable')).toBe(1);
  },
);
