import { expect } from 'vitest';
import { persistent, type TestBroker } from '../../support/test-broker.js';
import { sequence } from '../sequence.js';

const WILL = { topic: 'w', payload: 'gone', qos: 0 as const, retain: false };

/** Stops the broker; its grace passes on the test's clock. */
async function stop(test: TestBroker): Promise<void> {
  const stopped = test.broker.stop(100);
  const ticking = setInterval(() => test.clock.advance(100), 10);
  await stopped.finally(() => clearInterval(ticking));
}

sequence(
  {
    versions: [4, 5],
    shows: { 4: ['MQTT-3.1.2-8+'], 5: ['MQTT-3.14.4-2+', 'MQTT-3.14.4-1-', 'MQTT-4.13.2-1+'] },
    title: 'a broker that stops says 0x8B to MQTT 5 clients and closes; wills are left for its next run',
  },
  async ({ test, version }) => {
    const watcher = await test.connect('watcher', { version });
    await watcher.subscribe('w', 0);
    const client = await test.connect('c', { ...persistent(version), will: WILL });
    await stop(test);
    await client.expectDisconnect(0x8b);
    await watcher.expectDisconnect(0x8b);
    expect(test.broker.connectionCount).toBe(0);
  },
);
