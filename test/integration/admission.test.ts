import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import mqtt from 'mqtt-packet';
import { afterEach, describe, expect, it } from 'vitest';
import { Broker } from '../../src/broker/broker.js';

/** Something that gets an answer from somebody who was let in. */
const REQUESTS = {
  tcp: mqtt.generate({
    cmd: 'connect',
    clientId: 'third',
    protocolVersion: 4,
    protocolId: 'MQTT',
    clean: true,
    keepalive: 0,
  }),
  ws: 'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
};

let broker: Broker | undefined;

afterEach(async () => {
  await broker?.stop(1000);
});

describe.each(['tcp', 'ws'] as const)('a %s listener with room for two', (kind) => {
  it('turns the third connection away, and takes another when one has gone', async () => {
    broker = await Broker.start({
      listeners: [{ name: 'small', kind, host: '127.0.0.1', port: 0, maxConnections: 2 }],
    });
    const listener = broker.listeners[0];
    const open = async (): Promise<Socket> => {
      const socket = connect(listener?.port ?? 0, '127.0.0.1');
      socket.on('error', () => {});
      await once(socket, 'connect');
      return socket;
    };
    const first = await open();
    const second = await open();
    const third = await open();
    await once(third, 'close');
    expect(listener?.refusedConnections).toBe(1);
    expect([first.destroyed, second.destroyed]).toEqual([false, false]);

    first.destroy();
    // The listener hears of it in its own time; until then it turns connections away.
    for (let answer = false; !answer; ) {
      const another = await open();
      another.write(REQUESTS[kind]);
      answer = await Promise.race([once(another, 'data').then(() => true), once(another, 'close').then(() => false)]);
      another.destroy();
    }
    second.destroy();
  });
});
