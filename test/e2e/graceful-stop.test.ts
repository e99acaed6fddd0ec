/** SIGTERM, as those see it who are connected, and who watch over the broker: in a process of its own, with its data. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connectAsync, type MqttClient } from 'mqtt';
import { expect, onTestFinished, test } from 'vitest';
import { type Started, startIn } from '../support/executable-broker.js';
import { createTemporaryDirectory } from '../support/temporary-directory.js';

function portOf({ mqtt }: Started): number {
  return Number(new URL(mqtt).port);
}

/** A client of MQTT 5 that does not end its side of the connection when the broker has ended its own. */
async function connectStubbornly(started: Started): Promise<Socket> {
  const socket = connect({ port: portOf(started), host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.write(Buffer.from('100d00044d5154540502003c000000', 'hex'));
  const [connack] = await once(socket, 'data');
  expect(connack.toString('hex', 0, 1)).toBe('20');
  return socket;
}

async function connectSession({ mqtt }: Started, clientId: string): Promise<MqttClient> {
  const properties = { sessionExpiryInterval: 3600 };
  return await connectAsync(mqtt, { clientId, protocolVersion: 5, clean: false, properties, reconnectPeriod: 0 });
}

// The second that the broker waits for is all there is to look around in: on a machine that stands still for so long, once more.
test('a broker that stops is not ready, alive, and takes no new client; it tells those that it has, and exits with 0', {
  retry: 2,
}, async () => {
  const started = await startIn(await createTemporaryDirectory());
  const client = await connectStubbornly(started);
  expect((await fetch(`${started.http}/health/ready`)).status).toBe(200);
  const told = once(client, 'data');
  started.broker.child.kill('SIGTERM');
  // DISCONNECT with reason code 0x8B, Server shutting down.
  expect((await told)[0].toString('hex')).toMatch(/^e0..8b/);

  // This client keeps the broker waiting for its side of the connection: there is time to look at the others.
  const [ready, live] = await Promise.all(['ready', 'live'].map((path) => fetch(`${started.http}/health/${path}`)));
  expect([ready?.status, await ready?.json()]).toEqual([503, { status: 'not-ready', reasons: ['stopping'] }]);
  expect(live?.status).toBe(200);
  const late = connect(portOf(started), '127.0.0.1');
  expect(await once(late, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }]);
  expect(await started.broker.exitCode()).toBe(0);
});

test('what was acknowledged before the end is there after it', async () => {
  const directory = await createTemporaryDirectory();
  const started = await startIn(directory);
  const subscriber = await connectSession(started, 'subscriber');
  await subscriber.subscribeAsync('readings/#', { qos: 1 });
  await subscriber.endAsync();

  const publisher = await connectSession(started, 'publisher');
  const acknowledged: string[] = [];
  const told = new Promise((resolve) => publisher.once('disconnect', resolve));
  const closed = new Promise((resolve) => publisher.once('close', () => resolve(true)));
  let published = 0;
  const publishNext = (): void => {
    const payload = String(published++);
    publisher.publish('readings/7', payload, { qos: 1 }, (error) => {
      if (error) return;
      if (acknowledged.push(payload) === 500) started.broker.child.kill('SIGTERM');
      publishNext();
    });
  };
  for (let inFlight = 0; inFlight < 100; inFlight++) publishNext();
  expect(await told).toMatchObject({ reasonCode: 0x8b });
  await closed;
  expect(await started.broker.exitCode()).toBe(0);
  publisher.end(true);
  expect(acknowledged.length).toBeGreaterThanOrEqual(500);

  const received = new Set<string>();
  const again = await startIn(directory);
  const late = await connectAsync(again.mqtt, { clientId: 'subscriber', protocolVersion: 5, clean: false });
  late.on('message', (_, payload) => received.add(payload.toString()));
  await expect.poll(() => acknowledged.filter((payload) => !received.has(payload)), { timeout: 10_000 }).toEqual([]);
  await late.endAsync();
});
