/** Listeners behind proxies: who the client is, what comes behind the header, and what is not believed. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import mqtt from 'mqtt-packet';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createWebSocketStream, WebSocket } from 'ws';
import { AuthenticationChain } from '../../src/auth/authentication-chain.js';
import type { ListenerOptions } from '../../src/transport/listener.js';
import { ListenerBroker } from '../support/listener-broker.js';
import { header2, header2OfIpv4, sslTlv } from '../support/proxy-header.js';
import { RawClient } from '../support/raw-client.js';
import { TestAuthority } from '../support/test-authority.js';

const OPEN = { authenticator: new AuthenticationChain(true) };
const TRUSTED = { trusted: ['127.0.0.1'] };
const VERSION_1 = Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\r\n');
const VERSION_2 = header2OfIpv4([192, 0, 2, 7], 56_324);
const LOCAL = header2(0x20, 0, Buffer.alloc(0));
const authority = TestAuthority.ofFile();
const server = authority.issueServer('server');
const device = authority.issue('device-7');
const CONNECT = mqtt.generate({ cmd: 'connect', clientId: 'c', protocolVersion: 5, clean: true, keepalive: 0 });

async function secured(socket: Socket, options: object = {}): Promise<TLSSocket> {
  const secure = connectTls({ socket, ca: authority.pem, servername: 'localhost', ...options });
  onTestFinished(() => void secure.destroy());
  await once(secure, 'secureConnect');
  return secure;
}

async function webSocketOn(socket: Socket, headers: Record<string, string> = {}): Promise<RawClient> {
  const webSocket = new WebSocket('ws://localhost/mqtt', 'mqtt', { createConnection: () => socket, headers });
  const stream = createWebSocketStream(webSocket);
  stream.on('error', () => {});
  onTestFinished(() => void stream.destroy());
  await once(webSocket, 'open');
  return new RawClient(stream, 5);
}

/** From a socket on which the header has been sent to a client of MQTT. */
const CARRIERS: Record<string, [Partial<ListenerOptions>, (socket: Socket) => Promise<RawClient>]> = {
  tcp: [{ kind: 'tcp' }, async (socket) => new RawClient(socket, 5)],
  tls: [{ kind: 'tcp', tls: { certificates: [server] } }, async (socket) => new RawClient(await secured(socket), 5)],
  ws: [{ kind: 'ws' }, (socket) => webSocketOn(socket)],
  wss: [{ kind: 'ws', tls: { certificates: [server] } }, async (socket) => webSocketOn(await secured(socket))],
};

describe.each(Object.entries(CARRIERS))('behind a proxy, over %s', (_name, [options, open]) => {
  it.each([
    ['version 1', VERSION_1],
    ['version 2', VERSION_2],
  ])('the client is whom %s names, and it is served', async (_version, header) => {
    const test = await ListenerBroker.start({ ...options, proxyProtocol: TRUSTED }, OPEN);
    const socket = await test.socket();
    socket.write(header);
    const client = await open(socket);
    const connected = test.connected();
    expect((await client.connect()).reasonCode).toBe(0);
    expect((await connected).remoteAddress).toBe('192.0.2.7');
    await client.subscribe('t', 1);
    const payload = Buffer.alloc(300_000, 'x');
    client.send({ cmd: 'publish', topic: 't', payload, qos: 1, messageId: 7, retain: false, dup: false });
    client.acknowledgesByItself = true;
    const packets = [await client.expectAny(), await client.expectAny()];
    expect(packets.map(({ cmd }) => cmd).sort()).toEqual(['puback', 'publish']);
  });
});

describe('a header and what follows', () => {
  it('may come in one segment, or byte by byte', async () => {
    const test = await ListenerBroker.start({ proxyProtocol: TRUSTED }, OPEN);
    for (const bytes of [VERSION_1, VERSION_2]) {
      const together = await test.socket();
      together.write(Buffer.concat([bytes, CONNECT]));
      expect((await new RawClient(together, 5).expectPacket('connack')).reasonCode).toBe(0);

      const single = await test.socket();
      for (const byte of Buffer.concat([bytes, CONNECT])) {
        single.write(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect((await new RawClient(single, 5).expectPacket('connack')).reasonCode).toBe(0);
    }
  });

  it('may come in one segment with the hello of TLS', async () => {
    const test = await ListenerBroker.start({ proxyProtocol: TRUSTED, tls: { certificates: [server] } }, OPEN);
    const socket = await test.socket();
    // Held back until the first write of TLS.
    socket.cork();
    socket.write(VERSION_2);
    const securing = secured(socket);
    process.nextTick(() => socket.uncork());
    expect((await new RawClient(await securing, 5).connect()).reasonCode).toBe(0);
  });

  it('may be the proxy’s own: it is served as what it is', async () => {
    const test = await ListenerBroker.start({ proxyProtocol: TRUSTED }, OPEN);
    const socket = await test.socket();
    socket.write(LOCAL);
    const connected = test.connected();
    await new RawClient(socket, 5).connect();
    expect((await connected).remoteAddress).toBe('127.0.0.1');
  });
});

describe('who is believed', () => {
  it('nobody else may connect where proxies are required', async () => {
    const test = await ListenerBroker.start({ proxyProtocol: TRUSTED });
    const socket = await test.socket('127.0.0.2');
    socket.write(VERSION_1);
    await once(socket, 'close');
    expect(test.listener.refusals.get('proxy-untrusted')).toBe(1);
    expect(test.lines).toContainEqual(
      expect.objectContaining({ level: 40, reason: 'proxy-untrusted', remoteAddress: '127.0.0.2' }),
    );
  });

  it('somebody else is served where they are not, and not believed', async () => {
    const proxyProtocol = { ...TRUSTED, required: false };
    const test = await ListenerBroker.start({ proxyProtocol }, OPEN);
    const connected = test.connected();
    await (await test.client(5, '127.0.0.2')).connect();
    expect((await connected).remoteAddress).toBe('127.0.0.2');
    const liar = await test.socket('127.0.0.2');
    liar.write(Buffer.concat([VERSION_1, CONNECT]));
    await new RawClient(liar, 5).expectClosed();
  });

  it('a proxy that sends no header is refused where one is required, else served', async () => {
    const strict = await ListenerBroker.start({ proxyProtocol: TRUSTED });
    const socket = await strict.socket();
    socket.write(CONNECT);
    await once(socket, 'close');
    expect(strict.listener.refusals.get('proxy-header-missing')).toBe(1);

    const lenient = await ListenerBroker.start({ proxyProtocol: { ...TRUSTED, required: false } }, OPEN);
    expect((await (await lenient.client()).connect()).reasonCode).toBe(0);
  });

  it('a header that makes no sense ends the connection', async () => {
    const test = await ListenerBroker.start({ proxyProtocol: TRUSTED });
    const socket = await test.socket();
    socket.write('PROXY TCP4 nonsense\r\n');
    await once(socket, 'close');
    expect(test.listener.refusals.get('proxy-header-invalid')).toBe(1);
  });

  it('a header that does not come ends the connection in time', async () => {
    const test = await ListenerBroker.start({ proxyProtocol: { ...TRUSTED, timeoutMs: 2000 } });
    const socket = await test.socket();
    socket.write('PROXY TCP4 ');
    const closed = once(socket, 'close');
    for (let isClosed = false; !isClosed; ) {
      test.clock.advance(500);
      isClosed = await Promise.race([closed.then(() => true), new Promise<false>((done) => setImmediate(done, false))]);
    }
    expect(test.listener.refusals.get('proxy-header-timeout')).toBe(1);
  });

  it('who comes through a proxy is not of this machine, so that nobody gets in without saying who it is', async () => {
    const test = await ListenerBroker.start({ proxyProtocol: TRUSTED });
    const socket = await test.socket();
    socket.write(VERSION_1);
    expect((await new RawClient(socket, 5).connect()).reasonCode).toBe(0x87);
  });

  it('a certificate that the proxy has verified is a user only where that is wanted', async () => {
    const header = header2OfIpv4([192, 0, 2, 7], 1, [sslTlv('device-7')]);
    const taking = await ListenerBroker.start({ proxyProtocol: { ...TRUSTED, takesUsername: true } });
    const socket = await taking.socket();
    socket.write(header);
    const connected = taking.connected();
    expect((await new RawClient(socket, 5).connect()).reasonCode).toBe(0);
    expect((await connected).username).toBe('device-7');

    const other = await ListenerBroker.start({ proxyProtocol: TRUSTED });
    const ignored = await other.socket();
    ignored.write(header);
    expect((await new RawClient(ignored, 5).connect()).reasonCode).toBe(0x87);
  });

  it('the client’s own certificate counts more than what the proxy says', async () => {
    const tls = { certificates: [server], ca: authority.certificate, clientCertificate: 'request' as const };
    const test = await ListenerBroker.start({
      proxyProtocol: { ...TRUSTED, takesUsername: true },
      tls: { ...tls, username: 'common-name' },
    });
    const socket = await test.socket();
    socket.write(header2OfIpv4([192, 0, 2, 7], 1, [sslTlv('somebody')]));
    const connected = test.connected();
    const secure = await secured(socket, {
      cert: readFileSync(device.certificate),
      key: readFileSync(device.key),
    });
    await new RawClient(secure, 5).connect();
    expect((await connected).username).toBe('device-7');
  });

  it('limits for each address are for clients, not for the proxy', async () => {
    const test = await ListenerBroker.start({ proxyProtocol: TRUSTED, maxConnectionsPerAddress: 1 }, OPEN);
    const open = async (last: number): Promise<Socket> => {
      const socket = await test.socket();
      socket.write(header2OfIpv4([192, 0, 2, last], 1));
      return socket;
    };
    expect((await new RawClient(await open(1), 5).connect({ clientId: 'a' })).reasonCode).toBe(0);
    expect((await new RawClient(await open(2), 5).connect({ clientId: 'b' })).reasonCode).toBe(0);
    await once(await open(1), 'close');
    expect(test.listener.refusals.get('address-full')).toBe(1);
  });
});

describe('a proxy that speaks HTTP', () => {
  const forwardedFor = { trusted: ['127.0.0.1', '10.0.0.0/8'], header: 'x-forwarded-for' as const };

  it.each([
    ['the client it was asked by', '192.0.2.7', '192.0.2.7'],
    ['what stands right of what a client may have made up', '1.1.1.1, 192.0.2.7', '192.0.2.7'],
    ['whom the first of several proxies was asked by', '1.1.1.1, 192.0.2.7, 10.1.2.3', '192.0.2.7'],
    ['an address with a port', '[2001:db8::1]:4711', '2001:db8::1'],
    ['itself with what cannot be understood', 'unknown', '127.0.0.1'],
    ['its own network', '10.1.2.3', '10.1.2.3'],
  ])('names %s', async (_what, value, expected) => {
    const test = await ListenerBroker.start({ kind: 'ws', forwardedFor }, OPEN);
    const client = await webSocketOn(await test.socket(), { 'x-forwarded-for': value });
    const connected = test.connected();
    await client.connect();
    expect((await connected).remoteAddress).toBe(expected);
  });

  it('may use Forwarded, and then the other header is nobody’s', async () => {
    const test = await ListenerBroker.start(
      { kind: 'ws', forwardedFor: { ...forwardedFor, header: 'forwarded' } },
      OPEN,
    );
    const headers = {
      forwarded: 'for=1.1.1.1;proto=http, proto=https;for="[2001:db8::7]:4711";by=10.0.0.1',
      'x-forwarded-for': '192.0.2.1',
    };
    const client = await webSocketOn(await test.socket(), headers);
    const connected = test.connected();
    await client.connect();
    expect((await connected).remoteAddress).toBe('2001:db8::7');
  });

  it('is not believed from elsewhere', async () => {
    const test = await ListenerBroker.start({ kind: 'ws', forwardedFor }, OPEN);
    const client = await webSocketOn(await test.socket('127.0.0.2'), { 'x-forwarded-for': '192.0.2.7' });
    const connected = test.connected();
    await client.connect();
    expect((await connected).remoteAddress).toBe('127.0.0.2');
  });

  it('brings clients that have limits of their own', async () => {
    const test = await ListenerBroker.start({ kind: 'ws', forwardedFor, maxConnectionsPerAddress: 1 }, OPEN);
    await webSocketOn(await test.socket(), { 'x-forwarded-for': '192.0.2.7' });
    await webSocketOn(await test.socket(), { 'x-forwarded-for': '192.0.2.8' });
    const again = webSocketOn(await test.socket(), { 'x-forwarded-for': '192.0.2.7' });
    await expect(again).rejects.toThrow('503');
    expect(test.listener.refusals.get('address-full')).toBe(1);
  });
});

describe('origins', () => {
  it('are those in the list, and programs without one', async () => {
    const test = await ListenerBroker.start({ kind: 'ws', origins: ['https://Example.com'] });
    await webSocketOn(await test.socket(), { origin: 'https://example.com' });
    await webSocketOn(await test.socket());
    const other = webSocketOn(await test.socket(), { origin: 'https://example.com.evil.net' });
    await expect(other).rejects.toThrow('403');
    await expect(webSocketOn(await test.socket(), { origin: 'null' })).rejects.toThrow('403');
    expect(test.listener.refusals.get('origin')).toBe(2);
  });

  it('are all without a list', async () => {
    const test = await ListenerBroker.start({ kind: 'ws' });
    await webSocketOn(await test.socket(), { origin: 'https://anywhere.example' });
  });
});

describe('a PROXY header where none is taken', () => {
  const VERSION_1 = Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.1 56324 1883\r\n');
  const VERSION_2 = Buffer.from('0d0a0d0a000d0a515549540a2111000cc0000201c6336401dc04075b', 'hex');
  const HINT = '`proxyProtocol` of the listener has to trust the proxy';

  it.each([
    ['tcp', 1, VERSION_1],
    ['tcp', 2, VERSION_2],
    ['ws', 1, VERSION_1],
    ['ws', 2, VERSION_2],
  ] as const)('is told of once (%s, version %i)', async (kind, _version, header) => {
    const test = await ListenerBroker.start({ kind });
    for (let times = 0; times < 3; times++) {
      const socket = await test.socket();
      socket.write(header);
      await once(socket.resume(), 'close');
    }
    const hints = test.lines.filter(({ audit, msg }) => audit !== true && msg.includes(HINT));
    expect(hints).toEqual([expect.objectContaining({ level: 40, listener: 'test', remoteAddress: '127.0.0.1' })]);
    const counted =
      kind === 'tcp'
        ? test.broker.metrics.closesOf('unexpected-proxy-header')
        : test.listener.refusals.get('unexpected-proxy-header');
    expect(counted).toBe(3);
  });
});
