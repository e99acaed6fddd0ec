/** The client keeps its session as the protocol says: what it repeats, what it takes for a repeat, what it complains of. */
import type { IPublishPacket } from 'mqtt-packet';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Changes } from './changes.js';
import { ScriptedBroker } from './scripted-broker.js';
import { type OutboundMessage, SessionClient } from './session-client.js';

let broker: ScriptedBroker;
let client: SessionClient;
let changes: Changes;
let log: string[];

const message = (key: string, qos: 1 | 2): OutboundMessage => ({
  key,
  topic: 't',
  payload: Buffer.from(`${key} x`),
  qos,
});
const delivery = (messageId: number, payload: string, qos: 1 | 2, dup = false): IPublishPacket => ({
  cmd: 'publish',
  messageId,
  topic: 't',
  payload,
  qos,
  dup,
  retain: false,
});

afterEach(() => {
  client.destroy();
  broker.close();
});

async function connect(sessionPresent: boolean): Promise<void> {
  const connected = client.connect(broker.port);
  await broker.accept(sessionPresent);
  await connected;
}

async function breakOff(): Promise<void> {
  client.expectLoss();
  broker.cut();
  await changes.until(
    () => client.isClosed,
    () => 'the end of the connection',
  );
}

describe.each([4, 5] as const)('a session, MQTT %i', (version) => {
  beforeEach(async () => {
    broker = await ScriptedBroker.start(version);
    changes = new Changes();
    log = [];
    client = new SessionClient(
      { clientId: 'c', version, sessionExpirySeconds: 60 },
      {
        onDelivery: ({ payload, connection }) => log.push(`delivered ${payload} on ${connection}`),
        onAccepted: ({ key }) => log.push(`accepted ${key}`),
        onCompleted: ({ key }, code) => log.push(`completed ${key} ${code}`),
        onSentAgain: ({ key }) => log.push(`again ${key}`),
        onAbandoned: ({ key }) => log.push(`abandoned ${key}`),
        onViolation: (text) => log.push(text),
        onChange: () => changes.notify(),
      },
    );
    await connect(false);
  });

  it('repeats after a reconnect what was not answered, under the same identifiers, in order, with DUP or as PUBREL', async () => {
    for (const [key, qos] of [
      ['a', 1],
      ['b', 2],
      ['c', 1],
      ['d', 2],
    ] as const)
      client.publish(message(key, qos));
    const first = (await broker.expect(4)) as IPublishPacket[];
    expect(first.map(({ dup }) => dup)).toEqual([false, false, false, false]);
    broker.send({ cmd: 'puback', messageId: first[0]?.messageId as number });
    broker.send({ cmd: 'pubrec', messageId: first[1]?.messageId as number });
    expect(await broker.expect(1)).toMatchObject([{ cmd: 'pubrel', messageId: first[1]?.messageId }]);
    await breakOff();
    await connect(true);
    expect(await broker.expect(3)).toMatchObject([
      { cmd: 'pubrel', messageId: first[1]?.messageId },
      { cmd: 'publish', messageId: first[2]?.messageId, dup: true, qos: 1 },
      { cmd: 'publish', messageId: first[3]?.messageId, dup: true, qos: 2 },
    ]);
    broker.send({ cmd: 'pubcomp', messageId: first[1]?.messageId as number });
    broker.send({ cmd: 'puback', messageId: first[2]?.messageId as number });
    broker.send({ cmd: 'pubrec', messageId: first[3]?.messageId as number });
    await broker.expect(1);
    broker.send({ cmd: 'pubcomp', messageId: first[3]?.messageId as number });
    await changes.until(
      () => client.underWay === 0,
      () => 'the last answer',
    );
    expect(log).toEqual([
      'accepted a',
      'completed a 0',
      'accepted b',
      'again c',
      'again d',
      'completed b 0',
      'accepted c',
      'completed c 0',
      'accepted d',
      'completed d 0',
    ]);
  });

  it('gives up what was under way when the broker has no session, and complains if it must have one', async () => {
    client.publish(message('a', 2));
    await broker.expect(1);
    await breakOff();
    await connect(false);
    expect(log).toEqual(['abandoned a']);
    const subscribed = client.subscribe('t', 1);
    const [subscribe] = await broker.expect(1);
    broker.send({ cmd: 'suback', messageId: subscribe?.messageId as number, granted: [1] });
    expect(await subscribed).toBe(1);
    await breakOff();
    await connect(false);
    expect(log.at(-1)).toContain('Session Present is 0 after an acknowledged SUBSCRIBE');
  });

  it('takes a QoS 2 PUBLISH for a repeat until it is released, over connections', async () => {
    broker.send(delivery(7, 'one x', 2));
    await broker.expect(1);
    await breakOff();
    await connect(true);
    broker.send(delivery(7, 'one x', 2, true));
    expect(await broker.expect(1)).toMatchObject([{ cmd: 'pubrec', messageId: 7 }]);
    broker.send({ cmd: 'pubrel', messageId: 7 });
    expect(await broker.expect(1)).toMatchObject([{ cmd: 'pubcomp', messageId: 7 }]);
    broker.send(delivery(7, 'two x', 2));
    await broker.expect(1);
    expect(log).toEqual(['delivered one x on 1', 'delivered two x on 2']);
  });

  it('complains of another message under an identifier that was not released', async () => {
    broker.send(delivery(7, 'one x', 2));
    broker.send(delivery(7, 'two x', 2));
    await changes.until(
      () => log.length === 2,
      () => 'a complaint',
    );
    expect(log[1]).toContain('got identifier 7 for another message');
  });

  it('hands out every QoS 1 PUBLISH', async () => {
    broker.send(delivery(7, 'one x', 1));
    broker.send(delivery(7, 'one x', 1, true));
    expect(await broker.expect(2)).toMatchObject([{ cmd: 'puback' }, { cmd: 'puback' }]);
    expect(log).toEqual(['delivered one x on 1', 'delivered one x on 1']);
  });

  it('complains when the broker breaks off, or answers what was not sent', async () => {
    broker.send({ cmd: 'puback', messageId: 9 });
    await changes.until(
      () => log.length === 1,
      () => 'a complaint',
    );
    broker.cut();
    await changes.until(
      () => client.isClosed,
      () => 'the end of the connection',
    );
    expect(log).toEqual([
      'c got PUBACK for identifier 9, which it had not sent',
      'c lost its connection while the broker was running',
    ]);
  });
});

it('is told in MQTT 5 that a message is refused', async () => {
  broker = await ScriptedBroker.start(5);
  changes = new Changes();
  log = [];
  client = new SessionClient(
    { clientId: 'c', version: 5, sessionExpirySeconds: 60 },
    {
      onAccepted: ({ key }) => log.push(`accepted ${key}`),
      onCompleted: ({ key }, code) => log.push(`completed ${key} ${code}`),
      onChange: () => changes.notify(),
    },
  );
  await connect(false);
  client.publish(message('a', 1));
  client.publish(message('b', 2));
  const [first, second] = await broker.expect(2);
  broker.send({ cmd: 'puback', messageId: first?.messageId as number, reasonCode: 0x97 });
  broker.send({ cmd: 'pubrec', messageId: second?.messageId as number, reasonCode: 0x97 });
  await changes.until(
    () => client.underWay === 0,
    () => 'the answers',
  );
  expect(log).toEqual(['completed a 151', 'completed b 151']);
});
