import { describe, expect, it } from 'vitest';
import { publishPacket } from '../support/publish-packet.js';
import { persistent, TestBroker } from '../support/test-broker.js';

describe.each([4, 5] as const)('a client id that is taken over, MQTT %i', (version) => {
  it('keeps its messages: what was on its way is repeated on the new connection', async () => {
    const test = await TestBroker.start();
    const older = await test.connect('c', persistent(version));
    await older.subscribe('t', 1);
    for (let i = 1; i <= 3; i++) test.broker.publish({ topic: 't', payload: String(i), qos: 1 });
    const first = await older.expectPackets('publish', 3);
    older.send({ cmd: 'puback', messageId: first[0]?.messageId ?? 0 });
    await older.barrier();
    const younger = await test.connect('c', persistent(version));
    await older.expectDisconnect(0x8e);
    const again = await younger.expectPackets('publish', 2);
    expect(again.map((packet) => [packet.payload.toString(), packet.dup, packet.messageId])).toEqual([
      ['2', true, first[1]?.messageId],
      ['3', true, first[2]?.messageId],
    ]);
  });

  it('does not mind many who fight for it, if that is allowed', async () => {
    const test = await TestBroker.start({ defence: { takeovers: 0 } });
    const clients = await Promise.all(Array.from({ length: 30 }, () => test.open(version)));
    for (const client of clients) client.sendConnect({ clientId: 'c', ...persistent(version) });
    for (const client of clients) await client.expectPacket('connack');
    expect(test.broker.connectionCount).toBe(1);
    expect(test.broker.sessionCount).toBe(1);
    expect(test.broker.metrics.closesOf('session-taken-over')).toBe(29);
  });

  it('is not published for by the connection that lost it', async () => {
    const test = await TestBroker.start();
    const watcher = await test.connect('w', { version });
    await watcher.subscribe('t', 1);
    const older = await test.connect('c', { version });
    await test.connect('c', { version });
    older.send(publishPacket('t', 'late'));
    await older.expectDisconnect(0x8e);
    await watcher.expectNothing();
  });
});
