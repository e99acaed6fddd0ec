/** Names that mean something to JavaScript are names like any others: of clients, users, topics, groups and bans. */
import { expect, it } from 'vitest';
import { ListenerBroker } from '../support/listener-broker.js';
import { publishPacket } from '../support/publish-packet.js';
import { trustingAuthenticator } from '../support/trusting-authenticator.js';

const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__', 'valueOf'];

it.each(NAMES)('%s is a name', async (name) => {
  const test = await ListenerBroker.start(
    {},
    { authenticator: trustingAuthenticator, audit: 'all', defence: { connectionsPerUser: 5 } },
  );
  const client = await test.client();
  const connected = test.connected();
  expect((await client.connect({ clientId: name, username: name })).reasonCode).toBe(0);
  expect(await connected).toMatchObject({ clientId: name, username: name });
  await client.subscribe(`${name}/+`, 1);
  await client.subscribe(`$share/${name}/shared/${name}`, 1);
  client.acknowledgesByItself = true;
  client.send({
    ...publishPacket(`${name}/${name}`, name, { qos: 1, messageId: 7, retain: true }),
    properties: { userProperties: { [`x${name}`]: name } },
  });
  client.send(publishPacket(`shared/${name}`, name, { qos: 1, messageId: 8 }));
  const packets = [
    await client.expectAny(),
    await client.expectAny(),
    await client.expectAny(),
    await client.expectAny(),
  ];
  const topics = packets.flatMap((packet) => (packet.cmd === 'publish' ? [packet.topic] : []));
  expect(topics.sort()).toEqual([`${name}/${name}`, `shared/${name}`].sort());
  expect(test.broker.retainedCount).toBe(1);

  for (const kind of ['client', 'user'] as const) test.broker.bans.ban({ kind, value: name });
  await client.expectDisconnect(0x98);
  expect((await (await test.client()).connect({ clientId: name })).reasonCode).toBe(0x8a);
  expect((await (await test.client()).connect({ clientId: 'other', username: name })).reasonCode).toBe(0x8a);
  expect((await (await test.client()).connect({ clientId: 'other' })).reasonCode).toBe(0);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
});
