import { describe, expect, it } from 'vitest';
import { publishPacket } from '../support/publish-packet.js';
import { persistent, TestBroker } from '../support/test-broker.js';

/** An MQTT 5 PUBLISH at QoS 0 with these property bytes. */
function rawPublish(topic: string, properties: Buffer, payload = ''): Buffer {
  const head = Buffer.concat([
    Buffer.from([topic.length >> 8, topic.length & 0xff]),
    Buffer.from(topic),
    Buffer.from([properties.length]),
    properties,
    Buffer.from(payload),
  ]);
  return Buffer.concat([Buffer.from([0x30, head.length]), head]);
}

function userProperty(name: string, value: string): Buffer {
  const part = (text: string) => Buffer.concat([Buffer.from([0, Buffer.byteLength(text)]), Buffer.from(text)]);
  return Buffer.concat([Buffer.from([0x26]), part(name), part(value)]);
}

describe('properties of a PUBLISH', () => {
  it('are all passed on [MQTT-3.3.2-17] [MQTT-3.3.2-20]', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c');
    await client.subscribe('t', 1);
    const sent = {
      payloadFormatIndicator: true,
      messageExpiryInterval: 4_000_000_000,
      responseTopic: 'answer/ä',
      correlationData: Buffer.from([0, 1, 255]),
      contentType: 'application/json',
      userProperties: { b: '1', a: ['2', '3'] },
    };
    client.send(publishPacket('t', '{}', { qos: 1, messageId: 1, properties: sent }));
    const { properties } = await client.expectPacket('publish');
    expect({ ...properties, userProperties: { ...properties?.userProperties } }).toEqual(sent);
  });

  it('keep user properties byte for byte in their order [MQTT-3.3.2-18]', async () => {
    const test = await TestBroker.start();
    const publisher = await test.connect('p');
    const properties = Buffer.concat([
      userProperty('b', '1'),
      userProperty('a', '2'),
      userProperty('b', '1'),
      userProperty('', ''),
      userProperty('\ufeffbom', 'ä'),
    ]);
    // Received at once, and after a wait, and with an alias in between.
    const seen: Buffer[] = [];
    const collector = await test.open(5);
    collector.sendConnect({ clientId: 's' });
    await collector.expectPacket('connack');
    await collector.subscribe('t');
    const before = collector.bytesReceived;
    const frame = rawPublish('t', properties, 'x');
    publisher.sendBytes(frame);
    await collector.expectPacket('publish');
    expect(collector.bytesReceived - before).toBe(frame.length);
    test.broker.subscribe('t', (message) => {
      seen.push(Buffer.from(JSON.stringify(message.properties.userProperties)));
    });
    publisher.sendBytes(frame);
    await publisher.barrier();
    expect(JSON.parse(String(seen[0]))).toEqual([
      ['b', '1'],
      ['a', '2'],
      ['b', '1'],
      ['', ''],
      ['\ufeffbom', 'ä'],
    ]);
  });

  it('are left out for MQTT 3 subscribers', async () => {
    const test = await TestBroker.start();
    const old = await test.connect('old', { version: 4 });
    await old.subscribe('t', 1);
    const publisher = await test.connect('p');
    publisher.send(
      publishPacket('t', 'x', { qos: 1, messageId: 1, properties: { contentType: 'a', userProperties: { a: 'b' } } }),
    );
    const publish = await old.expectPacket('publish');
    expect(publish.payload.toString()).toBe('x');
    expect(publish.properties).toBeUndefined();
  });

  it.each([
    ['a Subscription Identifier [MQTT-3.3.4-6]', Buffer.from([0x0b, 1]), 0x82],
    ['Topic Alias 0 [MQTT-3.3.2-8]', Buffer.from([0x23, 0, 0]), 0x94],
    ['a wildcard in the Response Topic [MQTT-3.3.2-14]', Buffer.from([0x08, 0, 1, 0x2b]), 0x82],
    ['a property that stands twice', Buffer.from([0x01, 0, 0x01, 0]), 0x82],
    ['a payload format of 7', Buffer.from([0x01, 7]), 0x82],
    ['a property of another packet', Buffer.from([0x11, 0, 0, 0, 1]), 0x81],
    ['an unknown property', Buffer.from([0x7f, 0]), 0x81],
    ['U+0000 in a user property', userProperty('\0', 'x'), 0x81],
    ['a property cut short', Buffer.from([0x02, 0, 0]), 0x81],
  ])('end the connection with %s', async (_name, properties, reasonCode) => {
    const test = await TestBroker.start();
    const client = await test.connect('c');
    client.sendBytes(rawPublish('t', properties));
    await client.expectDisconnect(reasonCode);
  });
});

describe('topic aliases from a client', () => {
  it('stand for the topic they were set with, and can be set anew', async () => {
    const test = await TestBroker.start({ limits: { topicAliasMaximum: 5 } });
    const client = await test.connect('c');
    await client.subscribe('#');
    const send = (topic: string, topicAlias: number) =>
      client.send(publishPacket(topic, 'x', { properties: { topicAlias, contentType: 'c' } }));
    send('first', 1);
    send('second', 5);
    send('', 1);
    send('', 5);
    send('third', 1);
    send('', 1);
    const packets = await client.expectPackets('publish', 6);
    expect(packets.map((packet) => packet.topic)).toEqual(['first', 'second', 'first', 'second', 'third', 'third']);
    expect(packets.every((packet) => packet.properties?.topicAlias === undefined)).toBe(true);
    expect(packets.every((packet) => packet.properties?.contentType === 'c')).toBe(true);
  });

  it('above the maximum are refused with 0x94 [MQTT-3.3.2-9]', async () => {
    const test = await TestBroker.start({ limits: { topicAliasMaximum: 5 } });
    const client = await test.connect('c');
    client.send(publishPacket('t', 'x', { properties: { topicAlias: 6 } }));
    await client.expectDisconnect(0x94);
  });

  it('are refused altogether if switched off', async () => {
    const test = await TestBroker.start({ limits: { topicAliasMaximum: 0 } });
    const client = await test.connect('c');
    client.send(publishPacket('t', 'x', { properties: { topicAlias: 1 } }));
    await client.expectDisconnect(0x94);
  });

  it('that were never set are a protocol error', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c');
    client.send(publishPacket('', 'x', { properties: { topicAlias: 3 } }));
    await client.expectDisconnect(0x82);
  });

  it('end with the connection [MQTT-3.3.2-7]', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', persistent(5));
    client.send(publishPacket('t', 'x', { properties: { topicAlias: 3 } }));
    await client.barrier();
    await test.drop(client, 'c');
    const again = await test.connect('c', persistent(5));
    again.send(publishPacket('', 'x', { properties: { topicAlias: 3 } }));
    await again.expectDisconnect(0x82);
  });

  it('work with expiry on either side, QoS and RETAIN', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', persistent(5));
    await client.subscribe('t', 2);
    await test.drop(client, 'c');
    const publisher = await test.connect('p');
    const expiry = Buffer.from([0x02, 0, 0, 0, 100]);
    const alias = Buffer.from([0x23, 0, 1]);
    publisher.sendBytes(rawPublish('t', Buffer.concat([expiry, alias, userProperty('a', 'b')]), 'lost'));
    const withId = (topic: string, properties: Buffer, id: number) => {
      const frame = rawPublish(topic, properties, 'kept');
      const at = 2 + 2 + topic.length;
      const bytes = Buffer.concat([frame.subarray(0, at), Buffer.from([0, id]), frame.subarray(at)]);
      bytes[0] = 0x32;
      bytes[1] = (bytes[1] as number) + 2;
      return bytes;
    };
    publisher.sendBytes(withId('', Buffer.concat([expiry, alias, userProperty('a', 'b')]), 1));
    publisher.sendBytes(withId('', Buffer.concat([userProperty('a', 'b'), alias, expiry]), 2));
    await publisher.expectPackets('puback', 2);
    test.clock.advance(30_000);
    const back = await test.connect('c', persistent(5));
    for (const packet of await back.expectPackets('publish', 2)) {
      expect(packet.topic).toBe('t');
      expect(packet.payload.toString()).toBe('kept');
      expect(packet.properties?.messageExpiryInterval).toBe(70);
      expect(packet.properties?.userProperties).toMatchObject({ a: 'b' });
    }
  });
});

describe('topic aliases to a client', () => {
  it('are used within its maximum, and spelt out once [MQTT-3.1.2-26]', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', { properties: { topicAliasMaximum: 2 } });
    await client.subscribe('#', 1);
    const names = new Map<number, string>();
    const seen: string[] = [];
    for (const topic of ['a', 'b', 'c', 'a', 'b', 'c']) test.broker.publish({ topic, payload: 'x', qos: 1 });
    const packets = await client.expectPackets('publish', 6);
    for (const packet of packets) {
      const alias = packet.properties?.topicAlias;
      if (alias !== undefined) {
        expect(alias).toBeGreaterThan(0);
        expect(alias).toBeLessThanOrEqual(2);
        if (packet.topic !== '') names.set(alias, packet.topic);
      }
      seen.push(packet.topic === '' ? (names.get(alias ?? 0) ?? '?') : packet.topic);
    }
    expect(seen).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
    expect(packets.filter((packet) => packet.topic === '').length).toBeGreaterThanOrEqual(2);
  });

  it('are not used without being asked for', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c');
    await client.subscribe('#');
    for (let i = 0; i < 3; i++) test.broker.publish({ topic: 'a', payload: 'x' });
    for (const packet of await client.expectPackets('publish', 3)) {
      expect(packet.topic).toBe('a');
      expect(packet.properties?.topicAlias).toBeUndefined();
    }
  });

  it('are forgotten with the connection: what is sent again names its topic', async () => {
    const test = await TestBroker.start();
    const fields = { clean: false, properties: { sessionExpiryInterval: 100, topicAliasMaximum: 10 } };
    const client = await test.connect('c', fields);
    await client.subscribe('a', 1);
    for (let i = 0; i < 2; i++) test.broker.publish({ topic: 'a', payload: 'x', qos: 1 });
    await client.expectPackets('publish', 2);
    await test.drop(client, 'c');
    const again = await test.connect('c', fields);
    const [first, second] = await again.expectPackets('publish', 2);
    expect(first?.topic).toBe('a');
    expect([first?.properties?.topicAlias, second?.properties?.topicAlias]).toEqual([1, 1]);
  });
});

describe('Maximum Packet Size', () => {
  it('of the client keeps larger messages from it alone, QoS 0 and 1 [MQTT-3.1.2-24]', async () => {
    const test = await TestBroker.start();
    const small = await test.connect('small', { properties: { maximumPacketSize: 50 } });
    const large = await test.connect('large');
    await small.subscribe('t', 1);
    await large.subscribe('t', 1);
    for (const qos of [0, 1] as const) {
      test.broker.publish({ topic: 't', payload: Buffer.alloc(100), qos });
      test.broker.publish({ topic: 't', payload: 'fits', qos });
    }
    expect((await small.expectPackets('publish', 2)).map((packet) => packet.payload.toString())).toEqual([
      'fits',
      'fits',
    ]);
    await small.expectNothing();
    await large.expectPackets('publish', 4);
    expect(test.broker.drops.of('packet-too-large')).toBe(2);
  });

  it.each([0, 1] as const)('counts the whole packet, to the byte, at QoS %i', async (qos) => {
    const test = await TestBroker.start();
    // first byte, length, topic, (identifier,) property length, payload
    const payload = 'x'.repeat(30);
    const size = 1 + 1 + 3 + (qos > 0 ? 2 : 0) + 1 + 30;
    const exact = await test.connect('exact', { properties: { maximumPacketSize: size } });
    const short = await test.connect('short', { properties: { maximumPacketSize: size - 1 } });
    await exact.subscribe('t', 1);
    await short.subscribe('t', 1);
    test.broker.publish({ topic: 't', payload, qos });
    await exact.expectPacket('publish');
    await short.expectNothing();
  });

  it('counts what we add: Subscription Identifiers', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', { properties: { maximumPacketSize: 39 } });
    client.send({
      cmd: 'subscribe',
      messageId: 1,
      properties: { subscriptionIdentifier: 100_000 },
      subscriptions: [{ topic: 't', qos: 0 }],
    });
    await client.expectPacket('suback');
    test.broker.publish({ topic: 't', payload: 'x'.repeat(29) });
    expect(await client.expectPacket('publish')).toMatchObject({ length: 37 });
    test.broker.publish({ topic: 't', payload: 'x'.repeat(30) });
    await client.expectNothing();
  });

  it('of messages that waited is checked when they are sent', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', persistent(5));
    await client.subscribe('t', 1);
    await test.drop(client, 'c');
    test.broker.publish({ topic: 't', payload: Buffer.alloc(200), qos: 1 });
    test.broker.publish({ topic: 't', payload: 'fits', qos: 1 });
    const back = await test.connect('c', {
      clean: false,
      properties: { sessionExpiryInterval: 100, maximumPacketSize: 50 },
    });
    expect((await back.expectPacket('publish')).payload.toString()).toBe('fits');
    await back.expectNothing();
  });

  it('of the broker, when passed, ends the connection with 0x95 before the packet has come', async () => {
    const test = await TestBroker.start({ limits: { maximumPacketSize: 1000 } });
    const client = await test.connect('c');
    client.sendBytes([0x30, 0xff, 0xff, 0xff, 0x7f]);
    await client.expectDisconnect(0x95);
    expect(test.broker.metrics.closesOf('packet-too-large')).toBe(1);
  });

  it('of the broker allows a packet of exactly that size', async () => {
    const test = await TestBroker.start({ limits: { maximumPacketSize: 1000 } });
    const client = await test.connect('c');
    const frame = client.encode(publishPacket('t', Buffer.alloc(1000 - 7), { qos: 0 }));
    expect(frame.length).toBe(1000);
    client.sendBytes(frame);
    await client.expectNothing();
    client.sendBytes(client.encode(publishPacket('t', Buffer.alloc(1001 - 7), { qos: 0 })));
    await client.expectDisconnect(0x95);
  });

  it('is small before CONNECT', async () => {
    const test = await TestBroker.start();
    const client = await test.open(5);
    client.sendBytes([0x10, 0xff, 0xff, 0x7f]);
    await client.expectClosed();
  });
});

describe('request and response', () => {
  it('carry response topic and correlation data both ways', async () => {
    const test = await TestBroker.start();
    const { client: requester, connack } = await test.connectFully('r', {
      properties: { requestResponseInformation: true },
    });
    const answerTopic = `${connack.properties?.responseInformation}/1`;
    await requester.subscribe(answerTopic);
    const responder = await test.connect('w');
    await responder.subscribe('work');
    const correlationData = Buffer.from('id-1');
    requester.send(publishPacket('work', 'q', { properties: { responseTopic: answerTopic, correlationData } }));
    const request = await responder.expectPacket('publish');
    responder.send(
      publishPacket(request.properties?.responseTopic ?? '', 'a', {
        properties: { correlationData: request.properties?.correlationData as Buffer },
      }),
    );
    const answer = await requester.expectPacket('publish');
    expect(answer.properties?.correlationData).toEqual(correlationData);
  });
});
