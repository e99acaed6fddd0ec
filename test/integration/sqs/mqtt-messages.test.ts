/** What devices publish over MQTT, as workers receive it over SQS, and the other way round. */
import { createHash } from 'node:crypto';
import { CreateQueueCommand, type Message, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import type { BridgeRule } from '../../../src/bridge/bridge-rule.js';
import type { QueueOptions } from '../../../src/queues/queue-options.js';
import { factsOf, puback } from '../../support/queue-broker.js';
import { SqsBroker } from '../../support/sqs-broker.js';

async function withDevice(options: Partial<QueueOptions> = {}, rule: Partial<BridgeRule> = {}) {
  const broker = await SqsBroker.start({
    broker: { queues: { q: options }, rules: [rule] },
  });
  const device = await broker.queues.test.connect('device-7');
  const publish = async (topic: string, payload: string | Buffer, properties: object = {}, retain = false) => {
    const messageId = device.nextPacketId();
    device.send({ cmd: 'publish', topic, payload, qos: 1, messageId, dup: false, retain, properties });
    expect(await device.expectPacket('puback')).toMatchObject({ reasonCode: 0 });
  };
  const receive = async (): Promise<Message> => {
    const command = new ReceiveMessageCommand({
      QueueUrl: broker.queueUrl('q'),
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
    });
    const { Messages = [] } = await broker.client.send(command);
    expect(Messages).toHaveLength(1);
    return Messages[0] as Message;
  };
  return { broker, publish, receive };
}

/** By name: the text, or the bytes in base64. */
function attributes({ MessageAttributes = {} }: Message): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(MessageAttributes).map(([name, { StringValue, BinaryValue }]) => [
      name,
      StringValue ?? Buffer.from(BinaryValue ?? []).toString('base64'),
    ]),
  );
}

describe('a published message', () => {
  it('comes with the fields of MQTT as message attributes', async () => {
    const { publish, receive } = await withDevice();
    await publish(
      't/1',
      '21.5 °C',
      {
        contentType: 'text/plain',
        responseTopic: 'answers/7',
        correlationData: Buffer.from([0, 255]),
        userProperties: { unit: 'C', tag: ['a', 'b'] },
      },
      true,
    );
    const message = await receive();
    expect(message.Body).toBe('21.5 °C');
    expect(attributes(message)).toEqual({
      'mqtt.topic': 't/1',
      'mqtt.qos': '1',
      'mqtt.retain': 'true',
      'mqtt.clientId': 'device-7',
      'mqtt.contentType': 'text/plain',
      'mqtt.responseTopic': 'answers/7',
      'mqtt.correlationData': 'AP8=',
      'mqtt.userProperties': '[["unit","C"],["tag","a"],["tag","b"]]',
    });
    expect(message.MessageAttributes?.['mqtt.qos']?.DataType).toBe('Number');
    expect(message.MessageAttributes?.['mqtt.correlationData']?.DataType).toBe('Binary');
    expect(message.Attributes?.SenderId).toBe('device-7');
  });

  it('has ten attributes at most, and loses none of what there is no room for', async () => {
    const given = { site: 'north', line: '4', shift: 'late' };
    const { publish, receive } = await withDevice({}, { attributes: given });
    await publish('t/1', Buffer.from([0xff]), {
      contentType: 'x/y',
      responseTopic: 'answers',
      correlationData: Buffer.from('c'),
      userProperties: { unit: 'C' },
    });
    const told = attributes(await receive());
    const { 'mqtt.more': more = '', ...alone } = told;
    expect(Object.keys(told)).toHaveLength(10);
    expect({ ...alone, ...JSON.parse(more) }).toEqual({
      ...given,
      'mqtt.encoding': 'base64',
      'mqtt.topic': 't/1',
      'mqtt.qos': '1',
      'mqtt.clientId': 'device-7',
      'mqtt.contentType': 'x/y',
      'mqtt.responseTopic': 'answers',
      'mqtt.correlationData': Buffer.from('c').toString('base64'),
      'mqtt.userProperties': '[["unit","C"]]',
    });
    // What a receiver needs to read the body stands alone.
    expect(alone['mqtt.encoding']).toBe('base64');
  });

  it.each([
    ['client ids that XML cannot hold', 'dev\u0001ice'],
    ['client ids that XML cannot hold at all', 'dev\ufffeice'],
  ])('tells %s as JSON', async (_, clientId) => {
    const { broker, receive } = await withDevice();
    const device = await broker.queues.test.connect(clientId);
    device.send({ cmd: 'publish', topic: 't/1', payload: 'x', qos: 1, messageId: 1, dup: false, retain: false });
    await device.expectPacket('puback');
    const told = attributes(await receive());
    expect(told['mqtt.clientId']).toBeUndefined();
    expect(JSON.parse(told['mqtt.more'] ?? '')).toEqual({ 'mqtt.clientId': clientId });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is there is what is shown
    expect(told['mqtt.more']).not.toMatch(/[\u0000-\u001f\ufffe\uffff]/);
  });

  it('may be larger than what can be sent', async () => {
    const { publish, receive } = await withDevice();
    await publish('t/1', Buffer.alloc(2 ** 20 - 64, 0xff));
    expect((await receive()).Body).toHaveLength(Math.ceil((2 ** 20 - 64) / 3) * 4);
  });
});

const NO_TEXT = Buffer.from([0x7b, 0xff, 0x00]);

describe('a payload', () => {
  it.each([
    ['auto', Buffer.from('grün'), 'grün', undefined],
    ['auto', NO_TEXT, NO_TEXT.toString('base64'), 'base64'],
    ['auto', Buffer.from('a\u0000b'), Buffer.from('a\u0000b').toString('base64'), 'base64'],
    ['text', Buffer.from('a\u0000b'), 'a\ufffdb', undefined],
    ['text', NO_TEXT, '{\ufffd\ufffd', undefined],
    ['base64', Buffer.from('grün'), Buffer.from('grün').toString('base64'), 'base64'],
  ])('is told as %s: %j', async (body, payload, told, encoding) => {
    const { publish, receive } = await withDevice({ annotations: { body } });
    await publish('t/1', payload);
    const message = await receive();
    expect([message.Body, attributes(message)['mqtt.encoding']]).toEqual([told, encoding]);
    expect(message.MD5OfBody).toBe(createHash('md5').update(told).digest('hex'));
  });

  it('is told as json with everything that its publisher said', async () => {
    const { publish, receive } = await withDevice({ annotations: { body: 'json' } });
    const properties = { contentType: 'a/b', correlationData: Buffer.from([1]), userProperties: { k: '\ufffe' } };
    await publish('t/1', 'text', properties);
    const message = await receive();
    expect(message.Body).not.toContain('\ufffe');
    expect(JSON.parse(message.Body ?? '')).toEqual({
      topic: 't/1',
      qos: 1,
      retain: false,
      clientId: 'device-7',
      payload: 'text',
      contentType: 'a/b',
      correlationData: 'AQ==',
      userProperties: [['k', '\ufffe']],
    });
  });

  it('that is no text is told as json in base64', async () => {
    const { publish, receive } = await withDevice({ annotations: { body: 'json' } });
    await publish('t/1', NO_TEXT);
    expect(JSON.parse((await receive()).Body ?? '')).toMatchObject({ payloadBase64: NO_TEXT.toString('base64') });
  });

  it.each(['base64', 'json'])('that was sent by SQS comes as it was sent, in a queue that tells %s', async (body) => {
    const { broker, receive } = await withDevice({ annotations: { body } });
    await broker.client.send(new SendMessageCommand({ QueueUrl: broker.queueUrl('q'), MessageBody: 'as it is' }));
    const message = await receive();
    expect([message.Body, message.MessageAttributes]).toEqual(['as it is', undefined]);
  });
});

describe('a message that was sent by SQS', () => {
  it('is taken over MQTT, with its attributes, by a worker that competes for it', async () => {
    const { broker } = await withDevice();
    const worker = await broker.queues.consume('w');
    await broker.client.send(
      new SendMessageCommand({
        QueueUrl: broker.queueUrl('q'),
        MessageBody: 'x',
        MessageAttributes: {
          colour: { DataType: 'String', StringValue: 'red' },
          bytes: { DataType: 'Binary', BinaryValue: Buffer.from([1, 2]) },
        },
      }),
    );
    const packet = await worker.expectPacket('publish');
    expect(packet).toMatchObject({ topic: '$queue/q', qos: 1, properties: { payloadFormatIndicator: true } });
    expect(factsOf(packet)).toMatchObject({ colour: 'red', bytes: 'AQI=' });
    puback(worker, packet);
    await worker.barrier();
    expect(broker.queues.statistics()).toMatchObject({ ready: 0, inFlight: 0 });
  });
});

describe('a queue of the configuration', () => {
  it('is there for SQS under the same name, and cannot be made anew as another', async () => {
    const { broker } = await withDevice({ visibilityTimeoutMs: 5000 });
    const make = (attributes: Record<string, string>) =>
      broker.client.send(new CreateQueueCommand({ QueueName: 'q', Attributes: attributes }));
    expect((await make({ VisibilityTimeout: '5' })).QueueUrl).toBe(broker.queueUrl('q'));
    await expect(make({ VisibilityTimeout: '6' })).rejects.toThrow('already exists');
  });
});
