import { describe, expect, it } from 'vitest';
import { DelayedStore } from '../support/delayed-store.js';
import { publishPacket } from '../support/publish-packet.js';
import { RawClient } from '../support/raw-client.js';
import { persistent, TestBroker } from '../support/test-broker.js';

describe('stopping', () => {
  it('tells MQTT 5 clients so (0x8B), and just closes others', async () => {
    const test = await TestBroker.start();
    const five = await test.connect('five');
    const four = await test.connect('four', { version: 4 });
    const ws = await test.openWebSocket(5);
    await ws.connect({ clientId: 'ws' });
    const silent = await test.open(5);
    const stopped = test.broker.stop(1000);
    await five.expectDisconnect(0x8b);
    await four.expectClosed();
    await ws.expectDisconnect(0x8b);
    await silent.expectClosed();
    await stopped;
    expect(test.broker.connectionCount).toBe(0);
  });

  it('sends what was on its way first', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c');
    await client.subscribe('t');
    for (let i = 0; i < 50; i++) test.broker.publish({ topic: 't', payload: Buffer.alloc(20_000) });
    const stopped = test.broker.stop(1000);
    await client.expectPackets('publish', 50);
    await client.expectDisconnect(0x8b);
    await stopped;
  });

  it('accepts nothing more', async () => {
    const test = await TestBroker.start();
    await test.broker.stop(1000);
    await expect(RawClient.openTcp(test.tcpPort, 5)).rejects.toThrow(/ECONNREFUSED/);
    await expect(test.broker.listen({ name: 'x', kind: 'tcp', host: '127.0.0.1', port: 0 })).rejects.toThrow(
      /stopping/,
    );
    await test.broker.stop(1000);
  });

  it('waits for the journal, and not longer than its grace', async () => {
    const store = new DelayedStore();
    const { journal } = store;
    const test = await TestBroker.start({ store });
    const client = await test.connect('c', persistent(5));
    const before = journal.entries.length;
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 1 }] });
    await journal.recorded(before + 1);
    let isStopped = false;
    const stopped = test.broker.stop(1000).then(() => {
      isStopped = true;
    });
    await client.expectDisconnect(0x8b);
    expect(isStopped).toBe(false);
    journal.settle();
    await stopped;

    const second = await TestBroker.start({ store: new DelayedStore() });
    await second.connect('c', persistent(5));
    const stuckStop = second.broker.stop(1000);
    const ticking = setInterval(() => second.clock.advance(100), 1);
    await stuckStop;
    clearInterval(ticking);
  });

  it('leaves sessions and wills as they are for the restart', async () => {
    const store = new DelayedStore(false);
    const test = await TestBroker.start({ store });
    const will = { topic: 'w', payload: 'x', qos: 1, retain: false } as const;
    await test.connect('kept', { ...persistent(5, 100), will });
    await test.connect('clean', { will });
    const before = store.journal.entries.length;
    await test.broker.stop(1000);
    expect(store.journal.verbs().slice(before).sort()).toEqual(['sessionSaved kept 100', 'stateChanged 1']);
  });

  it('ends a connection whose client neither reads nor closes', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c');
    await client.subscribe('t');
    client.pauseReading();
    for (let i = 0; i < 300; i++) client.send(publishPacket('t', Buffer.alloc(20_000)));
    const stopped = test.broker.stop(500);
    const ticking = setInterval(() => test.clock.advance(100), 1);
    await stopped;
    clearInterval(ticking);
    expect(test.broker.connectionCount).toBe(0);
  });
});
