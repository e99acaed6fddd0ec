/** MQTT over secure WebSocket, and HTTP over TLS. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { connectAsync } from 'mqtt';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { HttpListener } from '../../../src/http/http-listener.js';
import { TlsDoor } from '../../../src/transport/tls/tls-door.js';
import { ManualClock } from '../../support/manual-clock.js';
import { TestAuthority } from '../../support/test-authority.js';
import { TlsBroker } from '../../support/tls-broker.js';

const authority = TestAuthority.ofFile();
const server = authority.issueServer('server');
const ca = authority.pem;

describe('MQTT over secure WebSocket', () => {
  it('serves MQTT.js, large messages too', async () => {
    const test = await TlsBroker.start({ certificates: [server] }, { kind: 'ws' });
    const client = await connectAsync(`wss://localhost:${test.port}/mqtt`, { ca, protocolVersion: 5 });
    onTestFinished(() => client.endAsync(true));
    await client.subscribeAsync('t', { qos: 1 });
    const payload = Buffer.alloc(500_000, 7);
    const received = new Promise((resolve) => client.once('message', (_topic, bytes) => resolve(bytes)));
    await client.publishAsync('t', payload, { qos: 1 });
    expect(await received).toEqual(payload);
    expect(test.door.figures.completed).toBe(1);
  });

  it('is http/1.1 by ALPN', async () => {
    const test = await TlsBroker.start({ certificates: [server] }, { kind: 'ws' });
    expect((await test.secure({ ca, ALPNProtocols: ['http/1.1'] })).alpnProtocol).toBe('http/1.1');
    const [error] = await once(test.connect({ ca, ALPNProtocols: ['mqtt'] }), 'error');
    expect(error.code).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
  });

  it('takes the user name from the certificate', async () => {
    const device = authority.issue('device-7');
    const tls = { certificates: [server], ca: authority.certificate } as const;
    const test = await TlsBroker.start(
      { ...tls, clientCertificate: 'require', username: 'common-name' },
      { kind: 'ws' },
    );
    const connected = once(test.broker.events, 'clientConnected');
    const { certificate, key } = device;
    const client = await connectAsync(`wss://localhost:${test.port}/mqtt`, {
      ca,
      cert: readFileSync(certificate),
      key: readFileSync(key),
    });
    onTestFinished(() => client.endAsync(true));
    expect(await connected).toEqual([expect.objectContaining({ username: 'device-7' })]);
  });

  it('closes in order, and forgets who broke off', async () => {
    const test = await TlsBroker.start({ certificates: [server] }, { kind: 'ws', maxConnections: 1 });
    const plain = connectPlain({ port: test.port, host: '127.0.0.1' });
    await once(plain, 'connect');
    plain.destroy();
    await test.passUntil('the break', () => test.door.figures.failuresOf('connection-lost') === 1, 0);
    const webSocket = new WebSocket(`wss://localhost:${test.port}/mqtt`, 'mqtt', { ca });
    await once(webSocket, 'open');
    webSocket.close();
    await once(webSocket, 'close');
  });
});

describe('HTTP over TLS', () => {
  async function listen(requestTimeoutMs = 10_000): Promise<HttpListener> {
    const [clock, logger] = [new ManualClock(Date.now()), pino({ level: 'silent' })];
    const tls = { certificates: [server] };
    const listener = await HttpListener.open(
      {
        host: '127.0.0.1',
        port: 0,
        maximumConnections: 10,
        requestTimeoutMs,
        openTls: (serve) => new TlsDoor({ name: 'http', tls, applicationProtocol: 'http/1.1', clock, logger }, serve),
      },
      (_request, response) => void response.end('hello'),
    );
    onTestFinished(() => listener.close());
    return listener;
  }

  it('is answered', async () => {
    const listener = await listen();
    expect(listener.url).toMatch(/^https:/);
    const asked = request(listener.url, { ca, servername: 'localhost' });
    asked.end();
    const [response] = await once(asked, 'response');
    let body = '';
    for await (const chunk of response) body += chunk;
    expect(body).toBe('hello');
  });

  it('holds those who send slowly to the same limits as without TLS', async () => {
    const listener = await listen(100);
    const port = Number(new URL(listener.url).port);
    const socket = connectTls({ port, host: '127.0.0.1', ca, servername: 'localhost' });
    await once(socket, 'secureConnect');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toContain('HTTP/1.1 408');
  });

  it('ends who sends plain HTTP', async () => {
    const listener = await listen();
    const plain = connectPlain({ port: Number(new URL(listener.url).port), host: '127.0.0.1' });
    plain.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    plain.resume();
    await new Promise((resolve) => plain.on('close', resolve).on('error', () => {}));
    expect(listener.tls?.figures.failuresOf('not-tls')).toBe(1);
  });
});
