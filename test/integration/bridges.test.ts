/** A mosquitto broker that connects to ours as its bridge (`topic # both`): MQTT 3 with the high bit of the level set. */
import { describe, expect, it } from 'vitest';
import { DurableBroker } from '../support/durable-broker.js';
import { publishPacket } from '../support/publish-packet.js';
import type { ConnectFields, RawClient } from '../support/raw-client.js';
import { persistent, TestBroker } from '../support/test-broker.js';

/** Connects with the bit set, and takes CONNACK. */
async function connectBridge(test: TestBroker, version: 3 | 4, fields: ConnectFields = {}): Promise<RawClient> {
  const client = await test.open(version);
  const protocolId = version === 3 ? 'MQIsdp' : 'MQTT';
  const connect = { clientId: 'bridge', clean: true, keepalive: 0, ...fields };
  const bytes = client.encode({ cmd: 'connect', protocolId, protocolVersion: version, ...connect });
  const level = bytes.indexOf(protocolId) + protocolId.length;
  bytes[level] = version | 0x80;
  client.sendBytes(bytes);
  expect((await client.expectPacket('connack')).returnCode).toBe(0);
  return client;
}

const stateOf = (clientId: string) => `$SYS/broker/connection/${clientId}/state`;

describe.each([3, 4] as const)('a bridge of MQTT %i', (version) => {
  it('does not get back what it brings, and others do get it', async () => {
    const test = await TestBroker.start();
    const other = await test.connect('other');
    await other.subscribe('#', 1);
    const bridge = await connectBridge(test, version);
    await bridge.subscribe('#', 1);
    bridge.send(publishPacket('from/bridge', 'x', { qos: 1, messageId: 1 }));
    await bridge.expectPacket('puback');
    await bridge.expectNothing();
    expect((await other.expectPacket('publish')).topic).toBe('from/bridge');
    other.send(publishPacket('from/other', 'y'));
    expect((await bridge.expectPacket('publish')).topic).toBe('from/other');
  });

  it('is told what is to be retained, also while it is subscribed', async () => {
    const test = await TestBroker.start();
    const bridge = await connectBridge(test, version);
    await bridge.subscribe('#');
    const other = await test.connect('other');
    other.send(publishPacket('kept', 'x', { retain: true }));
    other.send(publishPacket('passing', 'y'));
    const packets = await bridge.expectPackets('publish', 2);
    expect(packets.map(({ topic, retain }) => [topic, retain])).toEqual([
      ['kept', true],
      ['passing', false],
    ]);
  });
});

it('the subscriptions of a kept bridge are stored as those of a bridge', async () => {
  const first = await DurableBroker.start();
  const bridge = await connectBridge(first.test, 4, { clean: false });
  await bridge.subscribe('#', 1);
  await bridge.disconnect();
  await first.test.gone('bridge');
  await first.settle();
  const second = await first.restart();
  const ordinary = await second.test.connect('bridge', persistent(4));
  ordinary.send(publishPacket('t', 'x', { qos: 1, messageId: 1 }));
  await second.settle();
  await ordinary.expectPacket('puback');
  await ordinary.expectNothing();
});

it('an ordinary client of MQTT 3 does get back what it publishes', async () => {
  const test = await TestBroker.start();
  const client = await test.connect('c', { version: 4 });
  await client.subscribe('#');
  client.send(publishPacket('t', 'x'));
  await client.expectPacket('publish');
});

describe('the state of a bridge under $SYS', () => {
  const will = { topic: stateOf('bridge'), payload: Buffer.from('0'), qos: 1, retain: true } as const;

  it.each([4, 5] as const)('is told by the bridge and by its will, MQTT %i', async (version) => {
    const test = await TestBroker.start();
    const watcher = await test.connect('watcher');
    await watcher.subscribe('$SYS/broker/connection/#');
    const bridge = await test.connect('bridge', { version, will });
    bridge.send(publishPacket(stateOf('bridge'), '1', { retain: true, qos: 1, messageId: 1 }));
    expect((await bridge.expectPacket('puback')).reasonCode ?? 0).toBe(0);
    expect((await watcher.expectPacket('publish')).payload.toString()).toBe('1');
    await test.drop(bridge, 'bridge');
    expect((await watcher.expectPacket('publish')).payload.toString()).toBe('0');
    const late = await test.connect('late');
    await late.subscribe(stateOf('+'));
    expect((await late.expectPacket('publish')).retain).toBe(true);
  });

  it('outlives a restart', async () => {
    const first = await DurableBroker.start();
    const bridge = await first.test.connect('bridge');
    bridge.send(publishPacket(stateOf('bridge'), '0', { retain: true, qos: 1, messageId: 1 }));
    await first.settle();
    await bridge.expectPacket('puback');
    const second = await first.restart();
    const watcher = await second.test.connect('watcher');
    await watcher.subscribe(stateOf('bridge'));
    expect((await watcher.expectPacket('publish')).payload.toString()).toBe('0');
  });

  it('cannot be told by another client', async () => {
    const test = await TestBroker.start();
    const other = await test.connect('other');
    other.send(publishPacket(stateOf('bridge'), '1', { qos: 1, messageId: 1 }));
    expect((await other.expectPacket('puback')).reasonCode).toBe(0x87);
    const liar = await test.open(5);
    expect((await liar.connect({ clientId: 'liar', will })).reasonCode).toBe(0x87);
  });
});
