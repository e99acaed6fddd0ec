import mqtt, { type Packet } from 'mqtt-packet';
import { expect, it } from 'vitest';
import { Broker } from '../../../src/broker/broker.js';
import { FakeChannel } from '../../support/fake-channel.js';
import { ManualClock } from '../../support/manual-clock.js';
import { publishPacket } from '../../support/publish-packet.js';

function connect(broker: Broker, clientId: string): FakeChannel {
  const channel = new FakeChannel();
  broker.attach(channel);
  give(channel, { cmd: 'connect', clientId, protocolVersion: 4, clean: true, keepalive: 0, protocolId: 'MQTT' });
  return channel;
}

function give(channel: FakeChannel, ...packets: Packet[]): void {
  channel.handler?.onBytes(Buffer.concat(packets.map((packet) => mqtt.generate(packet))));
}

it('what a publisher sent before it closed in order is not lost while it waits for a slow reader', async () => {
  const broker = new Broker({
    clock: new ManualClock(),
    limits: { outboundSoftLimitBytes: 1000, sysIntervalSeconds: 0 },
  });
  const reader = connect(broker, 'reader');
  give(reader, { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 0 }] });
  await new Promise((resolve) => setImmediate(resolve));
  reader.isSlow = true;
  reader.mustWait = true;
  const publisher = connect(broker, 'publisher');
  const messages = Array.from({ length: 100 }, (_, i) => publishPacket('t', `${i}:${'x'.repeat(100)}`));
  give(publisher, ...messages);
  expect(broker.metrics.publishersHeld).toBe(1);
  expect(broker.metrics.packetsReceived[3]).toBeLessThan(20);
  publisher.handler?.onClose('ended');
  expect(broker.metrics.packetsReceived[3]).toBe(100);
  expect(broker.connectionCount).toBe(1);

  reader.mustWait = false;
  reader.handler?.onDrain();
  reader.drain();
  const received = reader.receivedBytes.toString('latin1').match(/\d+:x/g) ?? [];
  expect(received).toEqual(messages.map((_, i) => `${i}:x`));
  await broker.stop(100);
});
