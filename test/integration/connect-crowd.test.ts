/** Many clients that connect in the same turn of the event loop, each of which takes the broker some time. */
import mqtt, { type Packet } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { identityOf } from '../../src/auth/identity.js';
import { Broker } from '../../src/broker/broker.js';
import { FakeChannel } from '../support/fake-channel.js';
import { ManualClock } from '../support/manual-clock.js';
import { publishPacket } from '../support/publish-packet.js';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

class HeldChannel extends FakeChannel {
  isPaused = false;

  override pause(): void {
    this.isPaused = true;
  }

  override resume(): void {
    this.isPaused = false;
  }

  give(...packets: Packet[]): void {
    this.handler?.onBytes(Buffer.concat(packets.map((packet) => mqtt.generate(packet))));
  }

  /** Types of the packets that the client has got. */
  get answers(): string[] {
    const types: string[] = [];
    const parser = mqtt.parser({ protocolVersion: 4 });
    parser.on('packet', ({ cmd }) => types.push(cmd));
    parser.parse(this.receivedBytes);
    return types;
  }
}

/** A broker that takes 1 ms to look at the credentials of a client. */
function slowBroker(): Broker {
  const clock = new ManualClock();
  return new Broker({
    clock,
    limits: { sysIntervalSeconds: 0 },
    authenticator: {
      authenticate: ({ clientId }) => {
        if (clientId.startsWith('slow')) clock.advance(1);
        return { allowed: true, identity: identityOf(null) };
      },
    },
  });
}

function open(broker: Broker): HeldChannel {
  const channel = new HeldChannel();
  broker.attach(channel);
  return channel;
}

const connectPacket = (clientId: string): Packet => ({
  cmd: 'connect',
  clientId,
  protocolVersion: 4,
  clean: true,
  keepalive: 0,
  protocolId: 'MQTT',
});
const subscribePacket = (topic: string): Packet => ({
  cmd: 'subscribe',
  messageId: 1,
  subscriptions: [{ topic, qos: 0 }],
});

describe('a crowd of clients that connect at once', () => {
  it('is let in a few in each turn, and those who are in are served between', async () => {
    const broker = slowBroker();
    const reader = open(broker);
    reader.give(connectPacket('reader'), subscribePacket('t'));
    const writer = open(broker);
    writer.give(connectPacket('writer'));
    await nextTurn();

    const crowd = Array.from({ length: 7 }, () => open(broker));
    for (const [index, channel] of crowd.entries()) channel.give(connectPacket(`slow${index}`));
    writer.give(publishPacket('t', 'between'));
    expect(broker.connectionCount).toBe(2 + 2);
    expect(crowd.map(({ isPaused }) => isPaused)).toEqual([false, false, true, true, true, true, true]);
    await nextTurn();
    expect(reader.answers).toEqual(['connack', 'suback', 'publish']);
    expect(broker.connectionCount).toBe(2 + 4);
    while (broker.connectionCount < 9) await nextTurn();
    await nextTurn();
    expect(crowd.map(({ answers }) => answers)).toEqual(crowd.map(() => ['connack']));
    expect(crowd.some(({ isPaused }) => isPaused)).toBe(false);
    await broker.stop(100);
  });

  it('sends on before CONNACK, and has everything handled in its order', async () => {
    const broker = slowBroker();
    const crowd = Array.from({ length: 6 }, () => open(broker));
    for (const [index, channel] of crowd.entries()) {
      channel.give(connectPacket(`slow${index}`));
      channel.give(subscribePacket(`t/${index}`));
      channel.give(publishPacket(`t/${index}`, 'own'), { cmd: 'pingreq' });
    }
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    for (const { answers } of crowd) expect(answers.toSorted()).toEqual(['connack', 'pingresp', 'publish', 'suback']);
    for (const { answers } of crowd) expect(answers[0]).toBe('connack');
    await broker.stop(100);
  });

  it('may go before its turn comes', async () => {
    const broker = slowBroker();
    const crowd = Array.from({ length: 5 }, () => open(broker));
    for (const [index, channel] of crowd.entries()) channel.give(connectPacket(`slow${index}`));
    crowd[3]?.handler?.onClose('error');
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    expect(broker.connectionCount).toBe(4);
    expect(crowd[3]?.answers).toEqual([]);
    await broker.stop(100);
  });
});
