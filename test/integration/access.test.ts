/** Who may not do something is kept from it, wherever a message goes. Client ids begin with the user's name. */

import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { AccessControl } from '../../src/auth/access/access-control.js';
import type { AuthenticationMethod } from '../../src/auth/authentication-method.js';
import { identityOf } from '../../src/auth/identity.js';
import { aclControl, aclRules, roleRules } from '../support/access-rules.js';
import { DurableBroker } from '../support/durable-broker.js';
import { publishPacket } from '../support/publish-packet.js';
import { puback, QueueBroker, textOf } from '../support/queue-broker.js';
import type { ConnectFields, PacketOf, RawClient } from '../support/raw-client.js';
import { persistent, TestBroker, type TestBrokerOptions } from '../support/test-broker.js';
import { trustingAuthenticator } from '../support/trusting-authenticator.js';

const VERSIONS = [3, 4, 5] as const;

/** Ann publishes everything; what Bob may do is what the test is about. */
const ANN = ['user ann', 'topic #', 'topic $queue/#'];

function bob(...lines: readonly string[]): string[] {
  return [...ANN, 'user bob', ...lines];
}

function connect(test: TestBroker, username: string, fields: ConnectFields = {}): Promise<RawClient> {
  return test.connect(`${username}-1`, { username, ...fields });
}

async function publish(client: RawClient, topic: string, payload = 'x', qos: 0 | 1 | 2 = 1): Promise<void> {
  client.send(publishPacket(topic, payload, { qos, messageId: client.nextPacketId() }));
  if (qos === 0) await client.barrier();
  else await client.expectPacket(qos === 1 ? 'puback' : 'pubrec');
}

async function received(client: RawClient): Promise<string[]> {
  await client.barrier();
  return client.takeAll().map((packet) => `${(packet as PacketOf<'publish'>).topic}`);
}

async function start(lines: readonly string[], options: TestBrokerOptions = {}) {
  const access = aclControl(lines);
  return { test: await TestBroker.start({ access, authenticator: trustingAuthenticator, ...options }), access };
}

describe.each(VERSIONS)('publishing without the right to, MQTT %i', (version) => {
  it.each([0, 1, 2] as const)('at QoS %i goes nowhere, is counted, and ends no connection', async (qos) => {
    const { test } = await start(bob('topic write ok'));
    const ann = await connect(test, 'ann', { version });
    await ann.subscribe('#', 2);
    const client = await connect(test, 'bob', { version });
    client.send(publishPacket('secret', 'x', { qos, messageId: 7 }));
    if (qos === 1) {
      const answer = await client.expectPacket('puback');
      if (version === 5) expect(answer.reasonCode).toBe(0x87);
    }
    if (qos === 2) {
      const answer = await client.expectPacket('pubrec');
      if (version === 5) expect(answer.reasonCode).toBe(0x87);
      else {
        client.send({ cmd: 'pubrel', messageId: 7 });
        await client.expectPacket('pubcomp');
      }
    }
    await client.barrier();
    await ann.expectNothing();
    expect(test.broker.drops.of('not-authorized')).toBe(1);
    await publish(client, 'ok', 'x', qos);
    expect(await received(ann)).toEqual(['ok']);
  });
});

describe('the right to publish', () => {
  it('is looked at for each topic, by alias too', async () => {
    const { test } = await start(bob('topic write a', 'topic write b'));
    const client = await connect(test, 'bob');
    const codes: number[] = [];
    for (const topic of ['a', 'c', 'b', 'a', 'c', 'c', 'b']) {
      client.send(publishPacket(topic, '', { qos: 1, messageId: client.nextPacketId() }));
      codes.push((await client.expectPacket('puback')).reasonCode ?? 0);
    }
    expect(codes).toEqual([0x10, 0x87, 0x10, 0x10, 0x87, 0x87, 0x10]);
    for (const topic of ['c', '', '']) {
      client.send(
        publishPacket(topic, '', { qos: 1, messageId: client.nextPacketId(), properties: { topicAlias: 1 } }),
      );
      expect(await client.expectPacket('puback')).toMatchObject({ reasonCode: 0x87 });
    }
  });

  it('changes at once with the rules, for the topic that was published to last as for others', async () => {
    const { test, access } = await start(bob('topic write a', 'topic write b'));
    const client = await connect(test, 'bob');
    const code = async (topic: string) => {
      client.send(publishPacket(topic, '', { qos: 1, messageId: client.nextPacketId() }));
      return (await client.expectPacket('puback')).reasonCode;
    };
    expect([await code('b'), await code('a')]).toEqual([0x10, 0x10]);
    access.replace(aclRules(...bob('topic write b')));
    expect([await code('a'), await code('b')]).toEqual([0x87, 0x10]);
    access.replace(aclRules(...bob('topic write a')));
    expect([await code('b'), await code('a')]).toEqual([0x87, 0x10]);
  });

  it('is right for more topics than are remembered', async () => {
    const { test } = await start(bob('topic write even/#'));
    const client = await connect(test, 'bob');
    for (const round of [1, 2]) {
      const topics = Array.from({ length: 1500 }, (_, n) => `${n % 2 === 0 ? 'even' : 'odd'}/${n}`);
      client.sendTogether(topics.map((topic) => publishPacket(topic, '')));
      await client.barrier();
      expect(test.broker.drops.of('not-authorized')).toBe(750 * round);
    }
  });

  it('never goes below $SYS, whatever the rules say', async () => {
    const { test } = await start(bob('topic #', 'topic $SYS/#'));
    const client = await connect(test, 'bob');
    client.send(publishPacket('$SYS/broker/uptime', 'x', { qos: 1, messageId: 1 }));
    expect(await client.expectPacket('puback')).toMatchObject({ reasonCode: 0x87 });
  });

  it('is told of in the log where it is missing, once a minute', async () => {
    const logged: Record<string, unknown>[] = [];
    const logger = pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
    const { test } = await start(bob(), { logger });
    const client = await connect(test, 'bob', { version: 4 });
    for (const topic of ['a', 'b']) await publish(client, topic);
    await client.subscribe('c');
    test.clock.advance(60_000);
    await publish(client, 'd');
    expect(logged).toMatchObject([
      { clientId: 'bob-1', topic: 'a', keptBack: 0, msg: 'a client publishes where it may not' },
      { clientId: 'bob-1', filter: 'c', keptBack: 0, msg: 'a client subscribes to what it may not have' },
      { clientId: 'bob-1', topic: 'd', keptBack: 1 },
    ]);
  });

  it('is not what a bridge rule needs: the topic is enough', async () => {
    const broker = await QueueBroker.start({
      access: aclControl(bob('topic write t/#')),
      authenticator: trustingAuthenticator,
    });
    const client = await connect(broker.test, 'bob');
    await publish(client, 't/1');
    expect(broker.statistics().ready).toBe(1);
  });
});

describe.each(VERSIONS)('a will without the right to publish it, MQTT %i', (version) => {
  it('keeps the client out', async () => {
    const { test } = await start(bob('topic write ok'));
    const client = await test.open(version);
    const will = { topic: 'secret', payload: Buffer.from('x'), qos: 0, retain: false } as const;
    const connack = await client.connect({ clientId: 'bob-1', username: 'bob', will });
    if (version === 5) expect(connack.reasonCode).toBe(0x87);
    else expect(connack.returnCode).toBe(5);
    await client.expectClosed();
    const allowed = await test.open(version);
    const accepted = await allowed.connect({ clientId: 'bob-1', username: 'bob', will: { ...will, topic: 'ok' } });
    expect(accepted.reasonCode ?? accepted.returnCode).toBe(0);
  });
});

describe('a will', () => {
  const will = { topic: 'ok', payload: Buffer.from('x'), qos: 1, retain: false } as const;

  it('is not sent if its owner has lost the right meanwhile', async () => {
    const { test, access } = await start(bob('topic write ok'));
    const ann = await connect(test, 'ann');
    await ann.subscribe('#');
    for (const [lines, expected] of [
      [bob('topic write ok'), ['ok']],
      [bob('topic write other'), []],
    ] as const) {
      access.replace(aclRules(...bob('topic write ok')));
      const client = await connect(test, 'bob', { will });
      access.replace(aclRules(...lines));
      await test.drop(client, 'bob-1');
      expect(await received(ann)).toEqual(expected);
    }
    expect(test.broker.drops.of('not-authorized')).toBe(1);
  });

  it.each([
    ['with', 'topic write ok', ['ok']],
    ['without', 'topic write other', []],
  ])('that is due after a restart is published %s the right to it', async (_, line, expected) => {
    const access = aclControl(bob('topic write ok'));
    const before = await DurableBroker.start({ access });
    await before.test.connect('bob-1', { username: 'bob', will });
    const kept = { username: 'ann', ...persistent(5) };
    const ann = await before.test.connect('ann-1', kept);
    await ann.subscribe('#', 1);
    await ann.disconnect();
    await before.test.gone('ann-1');
    access.replace(aclRules(...bob(line)));
    const after = await before.restart();
    const back = await after.test.connect('ann-1', kept);
    after.broker.publish({ topic: 'end', payload: '', qos: 1 });
    const topics = (await back.expectPackets('publish', expected.length + 1)).map(({ topic }) => topic);
    expect(topics).toEqual([...expected, 'end']);
  });
});

describe('subscribing', () => {
  it.each([
    ['own/x', 1],
    ['own/#', 1],
    ['#', 1],
    ['+/x', 1],
    ['$share/g/own/x', 1],
    ['other', 0x87],
    ['other/#', 0x87],
    ['own/secret', 0x87],
    ['$SYS/#', 0x87],
    ['$share/g/other', 0x87],
  ])('to %s is answered with %i', async (filter, code) => {
    const { test } = await start(bob('topic read own/#', 'topic deny own/secret'));
    const client = await connect(test, 'bob');
    expect((await client.subscribe(filter, 1)).granted).toEqual([code]);
  });

  it('is refused in MQTT 3 with 0x80, filter by filter', async () => {
    const { test } = await start(bob('topic read own/#'));
    const client = await connect(test, 'bob', { version: 4 });
    const subscriptions = [{ topic: 'own/x', qos: 1 } as const, { topic: 'other', qos: 1 } as const];
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions });
    expect((await client.expectPacket('suback')).granted).toEqual([1, 0x80]);
  });

  it('is always accepted where mosquitto would, and brings nothing', async () => {
    const access = aclControl(bob('topic read own/#'), 'mosquitto');
    const test = await TestBroker.start({ access, authenticator: trustingAuthenticator });
    const client = await connect(test, 'bob');
    expect((await client.subscribe('other')).granted).toEqual([0]);
    await publish(await connect(test, 'ann'), 'other');
    await client.expectNothing();
  });
});

describe('delivery', () => {
  it.each([0, 1, 2] as const)('at QoS %i leaves out what the subscriber may not have', async (qos) => {
    const { test } = await start(bob('topic read a/#', 'topic deny a/secret/#'));
    const client = await connect(test, 'bob');
    await client.subscribe('#', 2);
    const ann = await connect(test, 'ann');
    for (const topic of ['a/1', 'a/secret/1', 'b', 'a', 'a/secret', 'a/2']) await publish(ann, topic, 'x', qos);
    expect(await received(client)).toEqual(['a/1', 'a', 'a/2']);
    expect(test.broker.accounting.missing).toBe(0);
  });

  it('follows the rules at once, for subscriptions that are there', async () => {
    const { test, access } = await start(bob('topic read #'));
    const client = await connect(test, 'bob');
    await client.subscribe('a/#', 1);
    await client.subscribe('b/#', 1);
    const ann = await connect(test, 'ann');
    const round = async () => {
      for (const topic of ['a/1', 'a/2', 'b/1']) await publish(ann, topic);
      return received(client);
    };
    expect(await round()).toEqual(['a/1', 'a/2', 'b/1']);
    access.replace(aclRules(...bob('topic read a/1')));
    expect(await round()).toEqual(['a/1']);
    access.replace(aclRules(...bob()));
    expect(await round()).toEqual([]);
    access.replace(aclRules(...bob('topic read #', 'topic deny b/#')));
    expect(await round()).toEqual(['a/1', 'a/2']);
    access.replace(aclRules(...bob('topic read #')));
    expect(await round()).toEqual(['a/1', 'a/2', 'b/1']);
  });

  it('of retained messages leaves the same out', async () => {
    const { test } = await start(bob('topic read a/#', 'topic deny a/secret'));
    for (const topic of ['a/1', 'a/secret', 'b', 'a/2']) {
      test.broker.publish({ topic, payload: 'x', retain: true, qos: 1 });
    }
    const client = await connect(test, 'bob');
    await client.subscribe('#', 1);
    expect((await received(client)).sort()).toEqual(['a/1', 'a/2']);
  });

  it('of a shared subscription goes to members that may have the message', async () => {
    const { test } = await start([...bob('topic read a/#'), 'user eve', 'topic read b/#']);
    const one = await connect(test, 'bob');
    const two = await connect(test, 'eve');
    for (const client of [one, two]) await client.subscribe('$share/g/#', 1);
    const ann = await connect(test, 'ann');
    for (const topic of ['a/1', 'b/1', 'a/2', 'b/2', 'a/3', 'c']) await publish(ann, topic);
    expect(await received(one)).toEqual(['a/1', 'a/2', 'a/3']);
    expect(await received(two)).toEqual(['b/1', 'b/2']);
    expect(test.broker.drops.of('no-group-member')).toBe(1);
  });

  it('asks after a filter that is let go of and another', async () => {
    const { test } = await start(bob('topic read a/#'));
    const client = await connect(test, 'bob');
    await client.subscribe('a/#', 1);
    await client.subscribe('+/x', 1);
    const ann = await connect(test, 'ann');
    await publish(ann, 'b/x');
    await publish(ann, 'a/x');
    expect(await received(client)).toEqual(['a/x']);
  });

  it('to more topics than are remembered is right', async () => {
    const { test } = await start(bob('topic read even/#'));
    const client = await connect(test, 'bob');
    await client.subscribe('#');
    for (let n = 0; n < 3000; n++) test.broker.publish({ topic: `${n % 2 === 0 ? 'even' : 'odd'}/${n}`, payload: '' });
    const topics = await received(client);
    expect(topics).toHaveLength(1500);
    expect(topics.every((topic) => topic.startsWith('even/'))).toBe(true);
  });

  it('to code within the process, and publishing from there, is asked of nobody', async () => {
    const { test } = await start(bob('topic read a'));
    const seen: string[] = [];
    test.broker.subscribe('#', ({ topic }) => void seen.push(topic));
    test.broker.publish({ topic: 'anything', payload: '' });
    expect(seen).toEqual(['anything']);
  });
});

describe('what waits for a session', () => {
  const kept = { username: 'bob', ...persistent(5) };

  async function leave(test: TestBroker, filter = '#'): Promise<void> {
    const client = await test.connect('bob-1', kept);
    await client.subscribe(filter, 1);
    await client.disconnect();
    await test.gone('bob-1');
  }

  it('is only what its user may have', async () => {
    const { test } = await start(bob('topic read a/#'));
    await leave(test);
    const ann = await connect(test, 'ann');
    for (const topic of ['a/1', 'b/1', 'a/2']) await publish(ann, topic);
    expect(test.broker.accounting.waiting).toBe(2);
    const back = await test.connect('bob-1', kept);
    expect(await received(back)).toEqual(['a/1', 'a/2']);
    expect(test.broker.accounting).toMatchObject({ missing: 0, dropped: 0 });
  });

  it('does not push out what he may have', async () => {
    const { test } = await start(bob('topic read a/#'), { limits: { queueMaximumMessages: 2 } });
    await leave(test);
    const ann = await connect(test, 'ann');
    for (const topic of ['b/1', 'b/2', 'b/3', 'a/1', 'b/4', 'a/2']) await publish(ann, topic);
    expect(await received(await test.connect('bob-1', kept))).toEqual(['a/1', 'a/2']);
  });

  it('is left out of a stream that others read too', async () => {
    const { test } = await start([...bob('topic read a/#'), 'user eve', 'topic read #']);
    await leave(test);
    const eve = await test.connect('eve-1', { username: 'eve', ...persistent(5) });
    await eve.subscribe('#', 1);
    await eve.disconnect();
    await test.gone('eve-1');
    const ann = await connect(test, 'ann');
    for (const topic of ['a/1', 'b/1', 'a/2', 'b/2']) await publish(ann, topic);
    expect(test.broker.accounting.waiting).toBe(6);
    expect(await received(await test.connect('bob-1', kept))).toEqual(['a/1', 'a/2']);
    expect(await received(await test.connect('eve-1', { username: 'eve', ...persistent(5) }))).toHaveLength(4);
    expect(test.broker.accounting).toMatchObject({ missing: 0, dropped: 0 });
  });

  it('is dropped and counted if the right is gone when he comes back', async () => {
    const { test, access } = await start(bob('topic read #'));
    await leave(test);
    const ann = await connect(test, 'ann');
    for (const topic of ['a/1', 'b/1', 'a/2', 'b/2']) await publish(ann, topic);
    access.replace(aclRules(...bob('topic read a/#')));
    expect(await received(await test.connect('bob-1', kept))).toEqual(['a/1', 'a/2']);
    expect(test.broker.drops.of('not-authorized')).toBe(2);
    expect(test.broker.accounting).toMatchObject({ missing: 0, dropped: 2, waiting: 2 });
  });

  it.each([1, 2] as const)('on its way at QoS %i is not sent again without the right', async (qos) => {
    const { test, access } = await start(bob('topic read #'));
    const client = await test.connect('bob-1', kept);
    await client.subscribe('#', qos);
    const ann = await connect(test, 'ann');
    for (const topic of ['a/1', 'b/1', 'a/2']) await publish(ann, topic, 'x', qos);
    expect(await received(client)).toHaveLength(3);
    await test.drop(client, 'bob-1');
    access.replace(aclRules(...bob('topic read a/#')));
    const back = await test.connect('bob-1', kept);
    await back.barrier();
    const again = back.takeAll().filter(({ cmd }) => cmd === 'publish') as PacketOf<'publish'>[];
    expect(again.map(({ topic }) => topic)).toEqual(['a/1', 'a/2']);
    expect(test.broker.drops.of('not-authorized')).toBe(1);
    expect(test.broker.accounting.missing).toBe(0);
  });

  it('in memory is looked at again when its turn comes', async () => {
    const { test, access } = await start(bob('topic read #'));
    const client = await connect(test, 'bob', { properties: { receiveMaximum: 1 } });
    await client.subscribe('#', 1);
    const ann = await connect(test, 'ann');
    for (const topic of ['a/1', 'b/1', 'a/2']) await publish(ann, topic);
    access.replace(aclRules(...bob('topic read a/#')));
    client.acknowledgesByItself = true;
    const first = await client.expectPacket('publish');
    client.send({ cmd: 'puback', messageId: first.messageId ?? 0 });
    expect(await client.expectPacket('publish')).toMatchObject({ topic: 'a/2' });
    expect(test.broker.drops.of('not-authorized')).toBe(1);
    expect(test.broker.accounting.missing).toBe(0);
  });

  it('is held to the rules of its user after a restart, before he is back and then', async () => {
    const access = aclControl(bob('topic read #'));
    const before = await DurableBroker.start({ access });
    await leave(before.test);
    await publish(await connect(before.test, 'ann'), 'a/1');
    await publish(await connect(before.test, 'ann'), 'b/1');
    access.replace(aclRules(...bob('topic read a/#')));
    const after = await before.restart();
    const ann = await connect(after.test, 'ann');
    await publish(ann, 'b/2');
    await publish(ann, 'a/2');
    expect(after.broker.accounting.waiting).toBe(3);
    const back = await after.test.connect('bob-1', kept);
    // They are read from the disk.
    const topics = (await back.expectPackets('publish', 2)).map(({ topic }) => topic);
    expect(topics).toEqual(['a/1', 'a/2']);
    expect(after.broker.drops.of('not-authorized')).toBe(1);
    expect(after.broker.accounting).toMatchObject({ missing: 0, waiting: 2 });
  });
});

describe('a session', () => {
  it("is its user's: another one begins anew", async () => {
    const { test } = await start([...bob('topic read #'), 'user eve', 'topic read #']);
    const client = await test.connect('shared', { username: 'bob', ...persistent(5) });
    await client.subscribe('#', 1);
    await client.disconnect();
    await test.gone('shared');
    await publish(await connect(test, 'ann'), 'a');
    const other = await test.connectFully('shared', { username: 'eve', ...persistent(5) });
    expect(other.connack.sessionPresent).toBe(false);
    await other.client.expectNothing();
    expect(test.broker.subscriptionCount).toBe(0);
    expect(test.broker.drops.of('session-ended')).toBe(1);
    await other.client.disconnect();
    const back = await test.connectFully('shared', { username: 'eve', ...persistent(5) });
    expect(back.connack.sessionPresent).toBe(true);
  });

  it('is so after a restart, too', async () => {
    const access = aclControl([...bob('topic read #'), 'user eve', 'topic read #']);
    const before = await DurableBroker.start({ access });
    const client = await before.test.connect('shared', { username: 'bob', ...persistent(5) });
    await client.subscribe('#', 1);
    const after = await before.restart();
    const other = await after.test.connectFully('shared', { username: 'eve', ...persistent(5) });
    expect(other.connack.sessionPresent).toBe(false);
    const again = await after.restart();
    const back = await again.test.connectFully('shared', { username: 'eve', ...persistent(5) });
    expect(back.connack.sessionPresent).toBe(true);
  });

  it("is anybody's while there are no rules", async () => {
    const test = await TestBroker.start();
    const client = await test.connect('shared', { username: 'bob', ...persistent(5) });
    await client.disconnect();
    const other = await test.connectFully('shared', { username: 'eve', ...persistent(5) });
    expect(other.connack.sessionPresent).toBe(true);
  });
});

describe('rules that credentials bring', () => {
  const rules = [{ effect: 'allow', action: 'all', filter: 'mine/#' }] as const;
  const authenticator = {
    authenticate: () => ({ allowed: true, identity: { ...identityOf('bob'), rules } }) as const,
  };

  it('hold even where nothing else is configured', async () => {
    const test = await TestBroker.start({ authenticator });
    const client = await test.connect('c');
    expect((await client.subscribe('other', 1)).granted).toEqual([0x87]);
    client.send(publishPacket('other', '', { qos: 1, messageId: 9 }));
    expect(await client.expectPacket('puback')).toMatchObject({ reasonCode: 0x87 });
    expect((await client.subscribe('mine/x', 1)).granted).toEqual([1]);
    client.send(publishPacket('mine/x', 'x'));
    expect(await client.expectPacket('publish')).toMatchObject({ topic: 'mine/x' });
  });

  it('are those of the last re-authentication', async () => {
    const method: AuthenticationMethod = {
      name: 'filter',
      begin: () => ({
        next: (data) => ({
          outcome: 'success',
          data: undefined,
          identity: { ...identityOf('bob'), rules: [{ effect: 'allow', action: 'all', filter: String(data) }] },
        }),
      }),
    };
    const test = await TestBroker.start({ authenticationMethods: [method] });
    const saying = (filter: string) => ({ authenticationMethod: 'filter', authenticationData: Buffer.from(filter) });
    const client = await test.connect('c', { properties: saying('a') });
    await client.subscribe('a', 1);
    const round = async () => {
      for (const topic of ['a', 'b']) client.send(publishPacket(topic, ''));
      return received(client);
    };
    expect(await round()).toEqual(['a']);
    client.send({ cmd: 'auth', reasonCode: 0x19, properties: saying('b') });
    await client.expectPacket('auth');
    expect(await round()).toEqual([]);
    expect((await client.subscribe('b', 1)).granted).toEqual([1]);
    expect(await round()).toEqual(['b']);
  });

  it("do not beat a denial of the broker's own", async () => {
    const access = new AccessControl(
      roleRules('roles: { r: [{ deny: publish, topic: mine/closed }] }\neverybody: [r]'),
    );
    const test = await TestBroker.start({ authenticator, access });
    const client = await test.connect('c');
    const code = async (topic: string) => {
      client.send(publishPacket(topic, '', { qos: 1, messageId: client.nextPacketId() }));
      return (await client.expectPacket('puback')).reasonCode;
    };
    expect([await code('mine/x'), await code('mine/closed')]).toEqual([0x10, 0x87]);
  });
});

describe('work queues', () => {
  const roles = (rule: string) => `
roles:
  all: [{ allow: all, topic: '#' }, { allow: all, queue: '*' }]
  bob: [${rule}]
users: { ann: [all], bob: [bob] }`;

  async function world(rule: string) {
    const access = new AccessControl(roleRules(roles(rule)));
    return { broker: await QueueBroker.start({ access, authenticator: trustingAuthenticator }), access };
  }

  it.each([
    ['{ allow: receive, queue: q }', '$queue/q', 1],
    ['{ allow: receive, queue: q }', '$queue/q/#', 1],
    ['{ allow: receive, queue: q }', '$queue/q/$envelope', 1],
    ['{ allow: send, queue: q }', '$queue/q', 0x87],
    ['{ allow: receive, queue: other }', '$queue/q', 0x87],
    ['{ allow: all, topic: "#" }', '$queue/q', 0x87],
    ['{ allow: receive, queue: q }', '$queue/secret', 0x87],
  ])('with %s a subscription to %s is answered with %i', async (rule, filter, code) => {
    const { broker } = await world(rule);
    const client = await connect(broker.test, 'bob');
    expect((await client.subscribe(filter, 1)).granted).toEqual([code]);
  });

  it.each([
    ['{ allow: send, queue: q }', 0],
    ['{ allow: receive, queue: q }', 0x87],
    ['{ allow: publish, topic: t/# }', 0x87],
  ])('with %s, publishing into one is answered with %i', async (rule, code) => {
    const { broker } = await world(rule);
    const client = await connect(broker.test, 'bob');
    client.send(publishPacket('$queue/q', 'x', { qos: 1, messageId: 1 }));
    expect(await client.expectPacket('puback')).toMatchObject({ reasonCode: code });
    expect(broker.statistics().ready).toBe(code === 0 ? 1 : 0);
  });

  it('give messages of any topic to who may take from them', async () => {
    const { broker } = await world('{ allow: receive, queue: q }');
    const client = await broker.consume('bob-1', { connect: { username: 'bob' } });
    broker.publish('t/1', 'x');
    expect(await client.expectPacket('publish')).toMatchObject({ topic: 't/1' });
  });

  it('give nothing more to who has lost the right, let him end what he has, and go on when it is back', async () => {
    const { broker, access } = await world('{ allow: receive, queue: q }');
    const client = await broker.consume('bob-1', { connect: { username: 'bob' } });
    broker.publish('t/1', 'one');
    const first = await client.expectPacket('publish');
    access.replace(roleRules(roles('{ allow: send, queue: q }')));
    broker.publish('t/1', 'two');
    await client.expectNothing();
    expect(broker.statistics()).toMatchObject({ ready: 1, inFlight: 1 });
    client.send(publishPacket('$queue/q/$ctl', '{}', { qos: 1, messageId: 9 }));
    expect(await client.expectPacket('puback')).toMatchObject({ reasonCode: 0x87 });
    puback(client, first);
    await client.barrier();
    expect(broker.statistics()).toMatchObject({ ready: 1, inFlight: 0 });
    const other = await broker.consume('ann-1', { connect: { username: 'ann' } });
    expect(textOf(await other.expectPacket('publish'))).toBe('two');
    await broker.test.drop(other, 'ann-1');
    access.replace(roleRules(roles('{ allow: receive, queue: q }')));
    expect(textOf(await client.expectPacket('publish'))).toBe('two');
  });

  it('are not given to a session that comes back without the right', async () => {
    const { broker, access } = await world('{ allow: receive, queue: q }');
    const kept = { username: 'bob', ...persistent(5) };
    const client = await broker.consume('bob-1', { connect: kept });
    await client.disconnect();
    access.replace(roleRules(roles('{ allow: send, queue: q }')));
    const back = await broker.test.connect('bob-1', kept);
    broker.publish('t/1', 'x');
    await back.expectNothing();
    access.replace(roleRules(roles('{ allow: receive, queue: q }')));
    expect(textOf(await back.expectPacket('publish'))).toBe('x');
  });
});
