import { describe, expect, it } from 'vitest';
import { publishPacket } from '../support/publish-packet.js';
import type { RawClient } from '../support/raw-client.js';
import { persistent, TestBroker } from '../support/test-broker.js';

const VERSIONS = [4, 5] as const;
const MIXES = [
  [4, 4],
  [4, 5],
  [5, 4],
  [5, 5],
] as const;

async function payloads(client: RawClient, count: number): Promise<string[]> {
  return (await client.expectPackets('publish', count)).map((packet) => packet.payload.toString());
}

describe('large and small messages in one stream', () => {
  const patterned = (index: number): Buffer => {
    const length = [100, 9000, 30, 70_000, 20_000, 4000, 65_536, 300_000][index % 8] as number;
    return Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 7 + index) % 251));
  };

  it.each([4, 5] as const)('from MQTT %i come whole and in order, whatever else a receiver is sent', async (from) => {
    const test = await TestBroker.start();
    const receivers = [
      await test.connect('plain', { version: 4 }),
      await test.connect('acknowledging', { version: 4 }),
      await test.connect('aliased', { version: 5, properties: { topicAliasMaximum: 10 } }),
    ];
    for (const [qos, receiver] of receivers.entries()) {
      receiver.acknowledgesByItself = true;
      await receiver.subscribe('t/#', Math.min(qos, 1) as 0 | 1);
    }
    const publisher = await test.connect('p', { version: from });
    const count = 64;
    const packets = Array.from({ length: count }, (_, index) =>
      publishPacket(`t/${index % 3}`, patterned(index), { qos: (index % 2) as 0 | 1, messageId: index + 1 }),
    );
    for (let at = 0; at < count; at += 16) publisher.sendTogether(packets.slice(at, at + 16));
    await publisher.expectPackets('puback', count / 2);
    for (const receiver of receivers) {
      const received = await receiver.expectPackets('publish', count);
      const isWhole = received.map(({ payload }, index) => Buffer.from(payload).equals(patterned(index)));
      expect(isWhole).toEqual(Array.from({ length: count }, () => true));
    }
  });
});

describe.each(MIXES)('delivery from MQTT %i to MQTT %i', (from, to) => {
  it.each([0, 1, 2] as const)('at QoS %i', async (qos) => {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s', { version: to });
    const suback = await subscriber.subscribe('a/+', qos);
    expect(suback.granted).toEqual([qos]);
    const publisher = await test.connect('p', { version: from });
    publisher.send(publishPacket('a/b', 'x', { qos, messageId: 77 }));
    if (qos === 1) expect((await publisher.expectPacket('puback')).messageId).toBe(77);
    if (qos === 2) {
      expect((await publisher.expectPacket('pubrec')).messageId).toBe(77);
      publisher.send({ cmd: 'pubrel', messageId: 77 });
      expect((await publisher.expectPacket('pubcomp')).messageId).toBe(77);
    }
    const received = await subscriber.expectPacket('publish');
    expect(received).toMatchObject({ topic: 'a/b', qos, retain: false, dup: false });
    expect(received.payload.toString()).toBe('x');
    if (qos === 1) subscriber.send({ cmd: 'puback', messageId: received.messageId ?? 0 });
    if (qos === 2) {
      subscriber.send({ cmd: 'pubrec', messageId: received.messageId ?? 0 });
      expect((await subscriber.expectPacket('pubrel')).messageId).toBe(received.messageId);
      subscriber.send({ cmd: 'pubcomp', messageId: received.messageId ?? 0 });
    }
    await subscriber.expectNothing();
  });

  it('at the lower of the two QoS [MQTT-3.8.4-8]', async () => {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s', { version: to });
    await subscriber.subscribe('low/#', 0);
    await subscriber.subscribe('one/#', 1);
    const publisher = await test.connect('p', { version: from });
    publisher.send(publishPacket('low/t', 'x', { qos: 2, messageId: 1 }));
    publisher.send(publishPacket('one/t', 'y', { qos: 2, messageId: 2 }));
    publisher.send(publishPacket('one/t', 'z', { qos: 0 }));
    const [low, one, zero] = await subscriber.expectPackets('publish', 3);
    expect([low?.qos, one?.qos, zero?.qos]).toEqual([0, 1, 0]);
  });

  it('carries payloads of every size, over many chunks', async () => {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s', { version: to });
    await subscriber.subscribe('t', 1);
    const publisher = await test.connect('p', { version: from });
    const sizes = [0, 1, 120, 127, 128, 500, 513, 16_380, 16_384, 65_536, 200_000, 1_000_000];
    let id = 0;
    for (const size of sizes) {
      for (const qos of [0, 1] as const) {
        publisher.send(publishPacket('t', Buffer.alloc(size, ++id), { qos, messageId: id }));
        const { payload } = await subscriber.expectPacket('publish');
        expect(Buffer.from(payload).equals(Buffer.alloc(size, id))).toBe(true);
      }
    }
  });

  it('keeps the order of each publisher, QoS 0, 1 and 2 among one another', async () => {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s', { version: to });
    await subscriber.subscribe('t', 2);
    const publisher = await test.connect('p', { version: from });
    const packets = Array.from({ length: 300 }, (_, i) =>
      publishPacket('t', String(i), { qos: (i % 3) as 0 | 1 | 2, messageId: i + 1 }),
    );
    publisher.sendTogether(packets);
    expect(await payloads(subscriber, 300)).toEqual(Array.from({ length: 300 }, (_, i) => String(i)));
  });
});

describe.each(VERSIONS)('QoS 2 from a client, MQTT %i', (version) => {
  it('is delivered once, however often it is repeated before PUBREL [MQTT-4.3.3-10]', async () => {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s', { version });
    await subscriber.subscribe('t', 0);
    const publisher = await test.connect('p', { version });
    publisher.send(publishPacket('t', '1', { qos: 2, messageId: 5 }));
    publisher.send(publishPacket('t', '1', { qos: 2, messageId: 5, dup: true }));
    publisher.send(publishPacket('t', '1', { qos: 2, messageId: 5, dup: true }));
    await publisher.expectPackets('pubrec', 3);
    publisher.send({ cmd: 'pubrel', messageId: 5 });
    await publisher.expectPacket('pubcomp');
    publisher.send(publishPacket('t', '2', { qos: 2, messageId: 5 }));
    await publisher.expectPacket('pubrec');
    expect(await payloads(subscriber, 2)).toEqual(['1', '2']);
    await subscriber.expectNothing();
  });

  it('is remembered across connections', async () => {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s', { version });
    await subscriber.subscribe('t', 0);
    const publisher = await test.connect('p', persistent(version));
    publisher.send(publishPacket('t', '1', { qos: 2, messageId: 5 }));
    await publisher.expectPacket('pubrec');
    await test.drop(publisher, 'p');
    const again = await test.connect('p', persistent(version));
    again.send(publishPacket('t', '1', { qos: 2, messageId: 5, dup: true }));
    await again.expectPacket('pubrec');
    again.send({ cmd: 'pubrel', messageId: 5 });
    await again.expectPacket('pubcomp');
    expect(await payloads(subscriber, 1)).toEqual(['1']);
    await subscriber.expectNothing();
  });

  it('answers PUBREL for an unknown identifier', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('p', { version });
    client.send({ cmd: 'pubrel', messageId: 9 });
    const pubcomp = await client.expectPacket('pubcomp');
    expect(pubcomp.messageId).toBe(9);
    if (version === 5) expect(pubcomp.reasonCode).toBe(0x92);
  });

  it('tells an MQTT 5 publisher that nobody has subscribed', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('p', { version });
    client.send(publishPacket('t', '', { qos: 1, messageId: 1 }));
    client.send(publishPacket('t', '', { qos: 2, messageId: 2 }));
    const puback = await client.expectPacket('puback');
    const pubrec = await client.expectPacket('pubrec');
    const expected = version === 5 ? 0x10 : undefined;
    expect([puback.reasonCode, pubrec.reasonCode]).toEqual([expected, expected]);
  });
});

describe.each(VERSIONS)('resending to MQTT %i', (version) => {
  it('repeats what was not acknowledged: same identifiers, DUP, in order [MQTT-4.4.0-1]', async () => {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s', persistent(version));
    await subscriber.subscribe('t', 2);
    const publisher = await test.connect('p', { version });
    for (let i = 1; i <= 6; i++) {
      publisher.send(publishPacket('t', String(i), { qos: i % 2 === 0 ? 2 : 1, messageId: i }));
    }
    const first = await subscriber.expectPackets('publish', 6);
    // 1: acknowledged; 2: received; 4: complete; the others stay open.
    const id = (n: number) => first[n - 1]?.messageId ?? 0;
    subscriber.send({ cmd: 'puback', messageId: id(1) });
    subscriber.send({ cmd: 'pubrec', messageId: id(2) });
    subscriber.send({ cmd: 'pubrec', messageId: id(4) });
    await subscriber.expectPackets('pubrel', 2);
    subscriber.send({ cmd: 'pubcomp', messageId: id(4) });
    await subscriber.expectNothing();
    await test.drop(subscriber, 's');

    const again = await test.connect('s', persistent(version));
    expect((await again.expectPacket('pubrel')).messageId).toBe(id(2));
    const repeated = await again.expectPackets('publish', 3);
    expect(repeated.map((packet) => packet.payload.toString())).toEqual(['3', '5', '6']);
    expect(repeated.map((packet) => packet.messageId)).toEqual([id(3), id(5), id(6)]);
    expect(repeated.every((packet) => packet.dup)).toBe(true);
    expect(repeated.map((packet) => packet.qos)).toEqual([1, 1, 2]);
    await again.expectNothing();
  });

  it('sends what came meanwhile after what is repeated', async () => {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s', persistent(version));
    await subscriber.subscribe('t', 1);
    const publisher = await test.connect('p', { version });
    publisher.send(publishPacket('t', '1', { qos: 1, messageId: 1 }));
    await subscriber.expectPacket('publish');
    await test.drop(subscriber, 's');
    publisher.send(publishPacket('t', '2', { qos: 1, messageId: 2 }));
    publisher.send(publishPacket('t', '3', { qos: 1, messageId: 3 }));
    await publisher.expectPackets('puback', 3);
    const again = await test.connect('s', persistent(version));
    const packets = await again.expectPackets('publish', 3);
    expect(packets.map((packet) => [packet.payload.toString(), packet.dup])).toEqual([
      ['1', true],
      ['2', false],
      ['3', false],
    ]);
    expect(new Set(packets.map((packet) => packet.messageId)).size).toBe(3);
  });

  it('does not repeat on the same connection, and forgets with the session', async () => {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s', persistent(version));
    await subscriber.subscribe('t', 1);
    const publisher = await test.connect('p', { version });
    publisher.send(publishPacket('t', '1', { qos: 1, messageId: 1 }));
    await subscriber.expectPacket('publish');
    test.clock.advance(600_000);
    await subscriber.expectNothing();
    await test.drop(subscriber, 's');
    const again = await test.connect('s', { ...persistent(version), clean: true });
    await again.expectNothing();
    expect(test.broker.drops.of('session-ended')).toBe(1);
  });
});

describe('Receive Maximum', () => {
  it('of the client is kept to, and order too [MQTT-3.3.4-9]', async () => {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s', { properties: { receiveMaximum: 3 } });
    await subscriber.subscribe('t', 2);
    const publisher = await test.connect('p');
    for (let i = 1; i <= 10; i++) publisher.send(publishPacket('t', String(i), { qos: i % 2 ? 1 : 2, messageId: i }));
    for (let i = 1; i <= 10; i++) await publisher.expectPacket(i % 2 ? 'puback' : 'pubrec');
    const seen: string[] = [];
    for (let next = 0; next < 10; ) {
      const window = Math.min(3, 10 - next);
      const packets = await subscriber.expectPackets('publish', window);
      await subscriber.expectNothing();
      for (const packet of packets) {
        seen.push(packet.payload.toString());
        if (packet.qos === 1) subscriber.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
        else {
          subscriber.send({ cmd: 'pubrec', messageId: packet.messageId ?? 0, reasonCode: 0x80 });
        }
      }
      next += window;
    }
    expect(seen).toEqual(Array.from({ length: 10 }, (_, i) => String(i + 1)));
  });

  it('is not freed by PUBREC, but by PUBCOMP', async () => {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s', { properties: { receiveMaximum: 1 } });
    await subscriber.subscribe('t', 2);
    const publisher = await test.connect('p');
    publisher.send(publishPacket('t', '1', { qos: 2, messageId: 1 }));
    publisher.send(publishPacket('t', '2', { qos: 2, messageId: 2 }));
    await publisher.expectPackets('pubrec', 2);
    const first = await subscriber.expectPacket('publish');
    subscriber.send({ cmd: 'pubrec', messageId: first.messageId ?? 0 });
    await subscriber.expectPacket('pubrel');
    await subscriber.expectNothing();
    subscriber.send({ cmd: 'pubcomp', messageId: first.messageId ?? 0 });
    expect((await subscriber.expectPacket('publish')).payload.toString()).toBe('2');
  });

  it('does not hold QoS 0 back', async () => {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s', { properties: { receiveMaximum: 1 } });
    await subscriber.subscribe('t', 1);
    const publisher = await test.connect('p');
    publisher.send(publishPacket('t', '1', { qos: 1, messageId: 1 }));
    publisher.send(publishPacket('t', '2', { qos: 1, messageId: 2 }));
    publisher.send(publishPacket('t', '3', { qos: 0 }));
    expect((await subscriber.expectPackets('publish', 2)).map((p) => p.payload.toString())).toEqual(['1', '3']);
  });

  it('of a client that comes back with a smaller one is kept to while resending [MQTT-3.3.4-9]', async () => {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s', persistent(5));
    await subscriber.subscribe('t', 1);
    const publisher = await test.connect('p');
    for (let i = 1; i <= 10; i++) publisher.send(publishPacket('t', String(i), { qos: 1, messageId: i }));
    await subscriber.expectPackets('publish', 10);
    await test.drop(subscriber, 's');
    const again = await test.connect('s', {
      clean: false,
      properties: { sessionExpiryInterval: 3600, receiveMaximum: 2 },
    });
    const seen: string[] = [];
    for (let i = 0; i < 5; i++) {
      const packets = await again.expectPackets('publish', 2);
      await again.expectNothing();
      for (const packet of packets) {
        seen.push(packet.payload.toString());
        again.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
      }
    }
    expect(seen).toEqual(Array.from({ length: 10 }, (_, i) => String(i + 1)));
  });

  it('of the broker, when passed, ends the connection with 0x93 [MQTT-3.3.4-7]', async () => {
    const test = await TestBroker.start({ limits: { receiveMaximum: 2 } });
    const client = await test.connect('p');
    for (let i = 1; i <= 3; i++) client.send(publishPacket('t', '', { qos: 2, messageId: i }));
    await client.expectPackets('pubrec', 2);
    await client.expectDisconnect(0x93);
  });

  it('of the broker counts what is not complete only', async () => {
    const test = await TestBroker.start({ limits: { receiveMaximum: 2 } });
    const client = await test.connect('p');
    for (let i = 1; i <= 20; i++) {
      client.send(publishPacket('t', '', { qos: 2, messageId: i }));
      client.send(publishPacket('t', '', { qos: 1, messageId: 100 + i }));
      await client.expectPacket('pubrec');
      await client.expectPacket('puback');
      client.send({ cmd: 'pubrel', messageId: i });
      await client.expectPacket('pubcomp');
    }
  });

  it('of the broker begins anew with each connection (section 4.9)', async () => {
    const test = await TestBroker.start({ limits: { receiveMaximum: 2 } });
    const client = await test.connect('p', persistent(5));
    client.send(publishPacket('t', '', { qos: 2, messageId: 1 }));
    client.send(publishPacket('t', '', { qos: 2, messageId: 2 }));
    await client.expectPackets('pubrec', 2);
    await test.drop(client, 'p');
    const again = await test.connect('p', persistent(5));
    // A client resends what it has to, in order; nothing forbids a new message before the PUBRELs are answered.
    again.send({ cmd: 'pubrel', messageId: 1 });
    again.send({ cmd: 'pubrel', messageId: 2 });
    again.send(publishPacket('t', '', { qos: 2, messageId: 3 }));
    await again.expectPackets('pubcomp', 2);
    await again.expectPacket('pubrec');
  });
});

describe.each(VERSIONS)('answers that do not fit, MQTT %i', (version) => {
  async function withOpenMessage(qos: 1 | 2) {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s', { version });
    await subscriber.subscribe('t', qos);
    subscriber.send(publishPacket('t', 'x', { qos, messageId: 1 }));
    const publish = await subscriber.expectPacket('publish');
    await subscriber.expectPacket(qos === 1 ? 'puback' : 'pubrec');
    return { subscriber, messageId: publish.messageId ?? 0 };
  }

  it('PUBREC for QoS 1 is a protocol error', async () => {
    const { subscriber, messageId } = await withOpenMessage(1);
    subscriber.send({ cmd: 'pubrec', messageId });
    await subscriber.expectDisconnect(0x82);
  });

  it('PUBACK for QoS 2 is a protocol error', async () => {
    const { subscriber, messageId } = await withOpenMessage(2);
    subscriber.send({ cmd: 'puback', messageId });
    await subscriber.expectDisconnect(0x82);
  });

  it('PUBCOMP before PUBREC is a protocol error', async () => {
    const { subscriber, messageId } = await withOpenMessage(2);
    subscriber.send({ cmd: 'pubcomp', messageId });
    await subscriber.expectDisconnect(0x82);
  });

  it('a repeated PUBREC is answered again', async () => {
    const { subscriber, messageId } = await withOpenMessage(2);
    subscriber.send({ cmd: 'pubrec', messageId });
    subscriber.send({ cmd: 'pubrec', messageId });
    await subscriber.expectPackets('pubrel', 2);
    subscriber.send({ cmd: 'pubcomp', messageId });
    await subscriber.expectNothing();
  });

  it('what acknowledges nothing is let pass', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('s', { version });
    client.send({ cmd: 'puback', messageId: 7 });
    client.send({ cmd: 'pubcomp', messageId: 7 });
    await client.expectNothing();
    client.send({ cmd: 'pubrec', messageId: 7 });
    const pubrel = await client.expectPacket('pubrel');
    if (version === 5) expect(pubrel.reasonCode).toBe(0x92);
  });
});

describe('refusals by a subscriber', () => {
  it('end the exchange and are counted [MQTT-4.4.0-2]', async () => {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s');
    await subscriber.subscribe('t', 2);
    subscriber.send(publishPacket('t', 'x', { qos: 2, messageId: 1 }));
    const publish = await subscriber.expectPacket('publish');
    await subscriber.expectPacket('pubrec');
    subscriber.send({ cmd: 'pubrec', messageId: publish.messageId ?? 0, reasonCode: 0x97 });
    await subscriber.expectNothing();
    expect(test.broker.drops.of('refused-by-client')).toBe(1);
  });
});

describe('QoS 2 to one subscriber', () => {
  it('from a hundred publishers loses nothing and repeats nothing', async () => {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s', { properties: { receiveMaximum: 20 } });
    await subscriber.subscribe('t/#', 2);
    subscriber.acknowledgesByItself = true;
    const publishers = await Promise.all(Array.from({ length: 100 }, (_, i) => test.connect(`p${i}`)));
    publishers.forEach((publisher, i) => {
      publisher.acknowledgesByItself = true;
      publisher.sendTogether(
        Array.from({ length: 20 }, (_, n) => publishPacket(`t/${i}`, String(n), { qos: 2, messageId: n + 1 })),
      );
    });
    const nextOf = new Map<string, number>();
    for (let received = 0; received < 2000; ) {
      const packet = await subscriber.expectAny();
      if (packet.cmd !== 'publish') continue;
      expect(Number(packet.payload.toString())).toBe(nextOf.get(packet.topic) ?? 0);
      nextOf.set(packet.topic, (nextOf.get(packet.topic) ?? 0) + 1);
      received++;
    }
    await subscriber.barrier();
    expect(subscriber.takeAll().filter((packet) => packet.cmd === 'publish')).toEqual([]);
  });
});

describe('packet identifiers towards a client', () => {
  it('are taken again after 65,535, and one that is stuck is passed over', async () => {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s');
    await subscriber.subscribe('t', 1);
    const stuckAt = new Set<number>();
    const publisher = await test.connect('p');
    publisher.acknowledgesByItself = true;
    let sent = 0;
    let received = 0;
    const total = 66_500;
    const ids: number[] = [];
    const sendSome = () => {
      const packets = [];
      for (let i = 0; i < 500 && sent < total; i++, sent++) {
        packets.push(publishPacket('t', '', { qos: 1, messageId: (sent % 60_000) + 1 }));
      }
      if (packets.length > 0) publisher.sendTogether(packets);
    };
    while (received < total) {
      sendSome();
      const answers = [];
      for (const packet of await subscriber.expectPackets('publish', Math.min(500, total - received))) {
        const messageId = packet.messageId ?? 0;
        ids.push(messageId);
        expect(stuckAt.has(messageId)).toBe(false);
        if (received === 9) stuckAt.add(messageId);
        else answers.push({ cmd: 'puback' as const, messageId });
        received++;
      }
      subscriber.sendTogether(answers);
    }
    expect(Math.max(...ids)).toBe(65_535);
    expect(Math.min(...ids)).toBe(1);
    expect(ids[9]).toBe(10);
    expect(ids.indexOf(10, 10)).toBe(-1);
  });
});

describe('a client that comes back with a smaller Maximum Packet Size', () => {
  it('is not sent again what is too large for it now [MQTT-3.1.2-24]', async () => {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s', persistent(5));
    await subscriber.subscribe('t', 1);
    const publisher = await test.connect('p');
    publisher.send(publishPacket('t', Buffer.alloc(500), { qos: 1, messageId: 1 }));
    publisher.send(publishPacket('t', 'small', { qos: 1, messageId: 2 }));
    await subscriber.expectPackets('publish', 2);
    await test.drop(subscriber, 's');
    const again = await test.connect('s', {
      clean: false,
      properties: { sessionExpiryInterval: 3600, maximumPacketSize: 100 },
    });
    expect((await again.expectPacket('publish')).payload.toString()).toBe('small');
    await again.expectNothing();
    expect(test.broker.drops.of('packet-too-large')).toBe(1);
  });
});
