import { once } from 'node:events';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ListenerBroker } from '../support/listener-broker.js';
import { publishPacket } from '../support/publish-packet.js';
import { TestBroker } from '../support/test-broker.js';

/** The status with which the handshake is refused. */
async function refusal(url: string, subprotocols?: string[]): Promise<number> {
  const webSocket = new WebSocket(url, subprotocols ?? []);
  webSocket.on('error', () => {});
  const [, response] = await once(webSocket, 'unexpected-response');
  webSocket.terminate();
  return response.statusCode;
}

describe.each([4, 5] as const)('MQTT %i over WebSocket', (version) => {
  it('serves the same protocol', async () => {
    const test = await TestBroker.start();
    const client = await test.openWebSocket(version);
    await client.connect({ clientId: 'w' });
    await client.subscribe('t', 2);
    const tcp = await test.connect('p', { version });
    tcp.send(publishPacket('t', 'x', { qos: 2, messageId: 1 }));
    await tcp.expectPacket('pubrec');
    const publish = await client.expectPacket('publish');
    expect(publish.qos).toBe(2);
    client.send({ cmd: 'pubrec', messageId: publish.messageId ?? 0 });
    await client.expectPacket('pubrel');
    await client.disconnect();
  });

  it('takes packets cut over frames, and many in one [MQTT-6.0.0-2]', async () => {
    const test = await TestBroker.start();
    const client = await test.openWebSocket(version);
    const protocolId = 'MQTT';
    const bytes = Buffer.concat([
      client.encode({ cmd: 'connect', protocolId, protocolVersion: version, clientId: 'w', clean: true, keepalive: 0 }),
      client.encode({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 0 }] }),
      client.encode(publishPacket('t', 'hello')),
    ]);
    for (const byte of bytes) client.sendBytes([byte]);
    await client.expectPacket('connack');
    await client.expectPacket('suback');
    expect((await client.expectPacket('publish')).payload.toString()).toBe('hello');
    client.sendTogether(Array.from({ length: 100 }, (_, i) => publishPacket('t', String(i))));
    const packets = await client.expectPackets('publish', 100);
    expect(packets.map((packet) => packet.payload.toString())).toEqual(
      Array.from({ length: 100 }, (_, i) => String(i)),
    );
  });

  it('carries large messages', async () => {
    const test = await TestBroker.start();
    const client = await test.openWebSocket(version);
    await client.connect({ clientId: 'w' });
    await client.subscribe('t', 1);
    client.send(publishPacket('t', Buffer.alloc(900_000, 7), { qos: 1, messageId: 1 }));
    expect((await client.expectPacket('publish')).payload.length).toBe(900_000);
  });

  it('publishes the will when the WebSocket is cut or closed without DISCONNECT', async () => {
    const test = await TestBroker.start();
    const watcher = await test.connect('watcher', { version });
    await watcher.subscribe('will');
    const client = await test.openWebSocket(version);
    await client.connect({ clientId: 'w', will: { topic: 'will', payload: 'x', qos: 0, retain: false } });
    client.destroy();
    await watcher.expectPacket('publish');
  });

  it('tells MQTT 5 why it closes', async () => {
    const test = await TestBroker.start();
    const client = await test.openWebSocket(version);
    await client.connect({ clientId: 'w' });
    client.send({ cmd: 'connack', sessionPresent: false, reasonCode: 0, returnCode: 0 });
    await client.expectDisconnect(0x82);
  });
});

describe('the WebSocket handshake', () => {
  it.each(['mqtt', 'mqttv3.1'])('takes the subprotocol %s', async (subprotocol) => {
    const test = await TestBroker.start();
    const webSocket = new WebSocket(test.wsUrl, [subprotocol]);
    await once(webSocket, 'open');
    expect(webSocket.protocol).toBe(subprotocol);
    webSocket.terminate();
  });

  it('prefers mqtt among several', async () => {
    const test = await TestBroker.start();
    const webSocket = new WebSocket(test.wsUrl, ['other', 'mqttv3.1', 'mqtt']);
    await once(webSocket, 'open');
    expect(webSocket.protocol).toBe('mqtt');
    webSocket.terminate();
  });

  it('is refused without a subprotocol of MQTT, and on another path', async () => {
    const test = await TestBroker.start();
    expect(await refusal(test.wsUrl)).toBe(400);
    expect(await refusal(test.wsUrl, ['chat'])).toBe(400);
    expect(await refusal(`ws://127.0.0.1:${test.wsPort}/other`, ['mqtt'])).toBe(404);
    const withQuery = new WebSocket(`${test.wsUrl}?token=1`, ['mqtt']);
    await once(withQuery, 'open');
    withQuery.terminate();
  });

  it('is what plain HTTP is told about', async () => {
    const test = await TestBroker.start();
    const status = (path: string) =>
      new Promise<number>((resolve, reject) => {
        request({ port: test.wsPort, host: '127.0.0.1', path }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        })
          .on('error', reject)
          .end();
      });
    expect(await status('/mqtt')).toBe(426);
    expect(await status('/')).toBe(404);
  });
});

describe('a WebSocket that breaks the rules', () => {
  it('is closed for a text frame, and its will published [MQTT-6.0.0-1]', async () => {
    const test = await TestBroker.start();
    const watcher = await test.connect('watcher');
    await watcher.subscribe('will');
    const webSocket = new WebSocket(test.wsUrl, ['mqtt']);
    await once(webSocket, 'open');
    webSocket.send(
      watcher.encode({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 5,
        clientId: 'w',
        clean: true,
        keepalive: 0,
        will: { topic: 'will', payload: 'x', qos: 0, retain: false },
      }),
    );
    await once(webSocket, 'message');
    webSocket.send('text');
    const [code] = await once(webSocket, 'close');
    expect(code).toBe(1003);
    await watcher.expectPacket('publish');
    expect(test.broker.metrics.closesOf('protocol-violation')).toBe(1);
  });

  it('is closed for a message above the limit', async () => {
    const test = await TestBroker.start({ limits: { maximumPacketSize: 1000 } });
    const client = await test.openWebSocket(5);
    await client.connect({ clientId: 'w' });
    client.sendBytes(Buffer.alloc(5000, 0xc0));
    await test.gone('w');
    expect(test.broker.connectionCount).toBe(0);
  });
});

describe('what is no HTTP', () => {
  it('is told to be TLS where it is, once', async () => {
    const test = await ListenerBroker.start({ kind: 'ws' });
    for (let times = 0; times < 3; times++) {
      const socket = await test.socket();
      socket.write(Buffer.from('16030100c8010000c403030000', 'hex'));
      await once(socket.resume(), 'close');
    }
    expect(test.lines.filter(({ msg }) => msg.includes('the client speaks TLS, and this listener has none'))).toEqual([
      expect.objectContaining({ level: 40, listener: 'test', reason: 'unexpected-tls' }),
    ]);
    expect(test.listener.refusals.get('unexpected-tls')).toBe(3);
  });

  it('is answered with 400 otherwise, and closed', async () => {
    const test = await ListenerBroker.start({ kind: 'ws' });
    const socket = await test.socket();
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => void chunks.push(chunk));
    socket.write('what is this?\r\n\r\n');
    await once(socket, 'end');
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(test.listener.refusedConnections).toBe(0);
  });
});
