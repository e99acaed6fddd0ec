import { once } from 'node:events';
import { expect } from 'vitest';
import { WebSocket } from 'ws';
import { publishPacket } from '../../support/publish-packet.js';
import { sequence } from '../sequence.js';

const UNSUPPORTED_DATA = 1003;

sequence(
  {
    versions: [4, 5],
    shows: ['MQTT-6.0.0-4+'],
    title: 'the subprotocol mqtt is selected, by itself and among others',
  },
  async ({ test }) => {
    for (const offered of [['mqtt'], ['chat', 'mqtt'], ['mqttv3.1', 'mqtt']]) {
      const webSocket = new WebSocket(test.wsUrl, offered);
      await once(webSocket, 'open');
      expect(webSocket.protocol).toBe('mqtt');
      webSocket.terminate();
    }
  },
);

sequence(
  {
    versions: [4, 5],
    shows: ['MQTT-6.0.0-1+', 'MQTT-6.0.0-2+'],
    title: 'packets may be cut anywhere by the end of a frame, and share one',
  },
  async ({ test, version }) => {
    const probe = await test.openWebSocket(version);
    const connect = probe.encode({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: version,
      clientId: 'c',
      clean: true,
      keepalive: 0,
    });
    const subscribe = probe.encode({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 0 }] });
    const all = Buffer.concat([connect, subscribe, probe.encode(publishPacket('t', 'x'))]);
    for (let cut = 0; cut <= all.length; cut++) {
      const client = await test.openWebSocket(version);
      client.sendBytes(all.subarray(0, cut));
      client.sendBytes(all.subarray(cut));
      await client.expectPacket('connack');
      await client.expectPacket('suback');
      expect((await client.expectPacket('publish')).payload.toString()).toBe('x');
      await client.disconnect();
    }
  },
);

sequence(
  {
    versions: [4, 5],
    shows: ['MQTT-6.0.0-1-'],
    title: 'a text frame closes the connection, first or later, though its bytes are a packet',
  },
  async ({ test, version }) => {
    const connect = connectBytes(version);
    const first = await openPlain(test.wsUrl);
    first.send(connect.toString('latin1'));
    expect((await once(first, 'close'))[0]).toBe(UNSUPPORTED_DATA);

    const watcher = await test.connect('watcher', { version });
    await watcher.subscribe('#');
    const later = await openPlain(test.wsUrl);
    later.send(connect);
    const [connack, isBinary] = await once(later, 'message');
    expect(isBinary).toBe(true);
    expect((connack as Buffer)[0]).toBe(0x20);
    // PUBLISH as text: it must not arrive.
    later.send(watcher.encode(publishPacket('t', 'x')).toString('latin1'));
    expect((await once(later, 'close'))[0]).toBe(UNSUPPORTED_DATA);
    await test.gone('c');
    await watcher.expectNothing();
  },
);

sequence(
  {
    versions: [4, 5],
    shows: ['MQTT-6.0.0-1+'],
    title: 'whatever the broker sends comes in binary frames',
  },
  async ({ test, version }) => {
    const webSocket = await openPlain(test.wsUrl);
    const kinds: boolean[] = [];
    webSocket.on('message', (_data, isBinary) => kinds.push(isBinary));
    webSocket.send(connectBytes(version));
    await once(webSocket, 'message');
    webSocket.send(Buffer.from([0xc0, 0x00]));
    await once(webSocket, 'message');
    // A protocol error: MQTT 5 is told, in a frame of the same kind.
    webSocket.send(Buffer.from([0xd0, 0x00]));
    await once(webSocket, 'close');
    expect(kinds).toEqual(new Array(version === 5 ? 3 : 2).fill(true));
  },
);

sequence(
  {
    versions: [4, 5],
    shows: { 4: ['MQTT-6.0.0-1-', 'MQTT-3.1.2-8+'], 5: ['MQTT-6.0.0-1-', 'MQTT-3.1.2-8+'] },
    title: 'a WebSocket that is closed for its frames, or closes without DISCONNECT, leaves its will',
  },
  async ({ test, version }) => {
    const watcher = await test.connect('watcher', { version });
    await watcher.subscribe('w');
    for (const end of [(webSocket: WebSocket) => webSocket.send('x'), (webSocket: WebSocket) => webSocket.close()]) {
      const webSocket = await openPlain(test.wsUrl);
      webSocket.send(connectBytes(version, true));
      await once(webSocket, 'message');
      end(webSocket);
      expect((await watcher.expectPacket('publish')).payload.toString()).toBe('gone');
    }
  },
);

async function openPlain(url: string): Promise<WebSocket> {
  const webSocket = new WebSocket(url, 'mqtt');
  await once(webSocket, 'open');
  return webSocket;
}

function connectBytes(version: 4 | 5, hasWill = false): Buffer {
  const properties = version === 5 ? '00' : '';
  const will = hasWill ? `${properties}000177${'0004'}${Buffer.from('gone').toString('hex')}` : '';
  const body = `00044d515454${version === 5 ? '05' : '04'}${hasWill ? '06' : '02'}0000${properties}000163${will}`;
  return Buffer.from(`10${(body.length / 2).toString(16).padStart(2, '0')}${body}`, 'hex');
}
