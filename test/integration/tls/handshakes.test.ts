import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { publishPacket } from '../../support/publish-packet.js';
import { RawClient } from '../../support/raw-client.js';
import { TestAuthority } from '../../support/test-authority.js';
import { TestBroker } from '../../support/test-broker.js';
import { TlsBroker } from '../../support/tls-broker.js';

const authority = TestAuthority.ofFile();
const server = authority.issueServer('server');

function plainConnection(port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  return socket;
}

/** The code of the error with which the client's handshake ends. */
async function failure(socket: TLSSocket): Promise<string> {
  const [error] = await once(socket, 'error');
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

/** Resolves when the other side has ended the connection, however. */
async function closed(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  socket.resume();
  // Not by once(): it would reject with the error that comes first.
  if (!socket.closed) await new Promise((resolve) => socket.on('close', resolve));
}

describe('MQTT over TLS', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('is served by %s', async (version) => {
    const test = await TlsBroker.start({ certificates: [server] });
    const client = await test.open({ ca: authority.pem, minVersion: version, maxVersion: version });
    await client.connect({ clientId: 'c' });
    await client.subscribe('t', 1);
    client.send(publishPacket('t', 'hello', { qos: 1, messageId: 1 }));
    expect((await client.expectPacket('publish')).payload.toString()).toBe('hello');
    expect(test.door.figures.completed).toBe(1);
    expect(test.door.pendingHandshakes).toBe(0);
  });

  it.each(['TLSv1', 'TLSv1.1'] as const)('is refused by %s, and the log says so', async (version) => {
    const test = await TlsBroker.start({ certificates: [server] });
    const socket = test.connect({
      ca: authority.pem,
      minVersion: version,
      maxVersion: version,
      ciphers: 'ALL@SECLEVEL=0',
    });
    expect(await failure(socket)).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    const line = await test.logged('no version of TLS');
    expect(line).toMatchObject({ listener: 'tls', reason: 'protocol-version', remoteAddress: '127.0.0.1' });
    expect(test.door.figures.failuresOf('protocol-version')).toBe(1);
  });

  it('is refused by TLS 1.2 where 1.3 is the least', async () => {
    const test = await TlsBroker.start({ certificates: [server], minimumVersion: 'TLSv1.3' });
    expect(await failure(test.connect({ ca: authority.pem, maxVersion: 'TLSv1.2' }))).toBe(
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    );
    await test.secure({ ca: authority.pem });
  });

  it('is refused with old ciphers', async () => {
    const test = await TlsBroker.start({ certificates: [server] });
    const socket = test.connect({ ca: authority.pem, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' });
    await failure(socket);
    await test.logged('no cipher');
    expect(test.door.figures.failuresOf('cipher')).toBe(1);
  });

  it('is called mqtt by ALPN; who asks for something else is refused (RFC 7301, 3.2), who asks for nothing is served', async () => {
    const test = await TlsBroker.start({ certificates: [server] });
    expect((await test.secure({ ca: authority.pem, ALPNProtocols: ['h2', 'mqtt'] })).alpnProtocol).toBe('mqtt');
    expect((await test.secure({ ca: authority.pem })).alpnProtocol).toBe(false);
    const other = test.connect({ ca: authority.pem, ALPNProtocols: ['h2', 'http/1.1'] });
    expect(await failure(other)).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
    await test.logged('ALPN');
    expect(test.door.figures.failuresOf('application-protocol')).toBe(1);
  });

  it('carries large messages to a reader that is slow', async () => {
    const test = await TlsBroker.start({ certificates: [server] });
    const reader = await test.secure({ ca: authority.pem });
    const subscriber = new RawClient(reader, 5);
    await subscriber.connect({ clientId: 'reader' });
    await subscriber.subscribe('t', 0);
    reader.pause();
    const publisher = await test.open({ ca: authority.pem });
    await publisher.connect({ clientId: 'writer' });
    // More than the buffers of the sockets hold, and less than the hard limit on top of that.
    const payload = Buffer.alloc(900_000, 7);
    for (let id = 1; id <= 7; id++) {
      publisher.send(publishPacket('t', payload, { qos: 1, messageId: id }));
    }
    await publisher.expectPacket('puback');
    reader.resume();
    const packets = await subscriber.expectPackets('publish', 7);
    expect(packets.every((packet) => payload.equals(packet.payload as Buffer))).toBe(true);
  });

  it('ends in order: the client reads the last packet, and then the end', async () => {
    const test = await TlsBroker.start({ certificates: [server] });
    const client = await test.open({ ca: authority.pem });
    await client.connect({ clientId: 'a' });
    const second = await test.open({ ca: authority.pem });
    await second.connect({ clientId: 'a' });
    expect((await client.expectPacket('disconnect')).reasonCode).toBe(0x8e);
    await client.expectClosed();
  });

  it('goes on after a client has broken off in the middle', async () => {
    const test = await TlsBroker.start({ certificates: [server] });
    for (let times = 0; times < 3; times++) {
      const plain = plainConnection(test.port);
      await once(plain, 'connect');
      plain.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
      plain.resetAndDestroy();
    }
    // As the probes of load balancers do.
    plainConnection(test.port).end();
    await test.passUntil('the breaks', () => test.door.figures.failuresOf('connection-lost') === 4, 0);
    const client = await test.open({ ca: authority.pem });
    await client.connect({ clientId: 'c' });
    expect(test.door.pendingHandshakes).toBe(0);
  });

  it('turns connections away above the limit, without a handshake', async () => {
    const test = await TlsBroker.start({ certificates: [server] }, { maxConnections: 1 });
    await test.secure({ ca: authority.pem });
    await failure(test.connect({ ca: authority.pem }));
    expect(test.broker.listeners[0]?.refusedConnections).toBe(1);
  });

  it('does not start with files that do not fit together', async () => {
    const other = authority.issueServer('other');
    const wrong = { certificate: server.certificate, key: other.key };
    await expect(TlsBroker.start({ certificates: [wrong] })).rejects.toMatchObject({
      code: 'ERR_TLS_UNUSABLE',
      message: `TLS of "tls" cannot be used: ${other.key}: this is not the key of the certificate in ${server.certificate} (localhost)`,
    });
  });
});

describe('who does not speak TLS on a port for TLS', () => {
  it.each([
    ['MQTT', Buffer.from([0x10, 0x0d, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 1, 0x63])],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
  ])('is refused and named once: %s', async (_name, bytes) => {
    const test = await TlsBroker.start({ certificates: [server] });
    for (let times = 0; times < 3; times++) {
      const plain = plainConnection(test.port);
      plain.write(bytes);
      await closed(plain);
    }
    await test.logged('does not speak TLS');
    expect(test.lines.filter(({ level, reason }) => level === 40 && reason === 'not-tls')).toHaveLength(1);
    expect(test.door.figures.failuresOf('not-tls')).toBe(3);
    expect(test.door.pendingHandshakes).toBe(0);
  });
});

describe('who speaks TLS on a port without it', () => {
  it('is closed at once, counted, and named once', async () => {
    const lines: string[] = [];
    const test = await TestBroker.start({ logger: pino({}, { write: (line: string) => void lines.push(line) }) });
    for (let times = 0; times < 3; times++) {
      const socket = connectTls({ port: test.tcpPort, host: '127.0.0.1', rejectUnauthorized: false });
      await failure(socket);
    }
    expect(test.broker.metrics.closesOf('unexpected-tls')).toBe(3);
    expect(lines.filter((line) => line.includes('the client speaks TLS, and this listener has none'))).toHaveLength(1);
  });
});

describe('handshakes that take too long', () => {
  it('end after the time for them', async () => {
    const test = await TlsBroker.start({ certificates: [server], handshakeTimeoutMs: 5000 });
    const silent = plainConnection(test.port);
    const slow = plainConnection(test.port);
    slow.write(Buffer.from([0x16, 3, 1]));
    await test.passUntil('both', () => test.door.pendingHandshakes === 2, 0);
    const ends = Promise.all([closed(silent), closed(slow)]);
    test.clock.advance(4900);
    expect(test.door.pendingHandshakes).toBe(2);
    test.clock.advance(300);
    await ends;
    expect(test.door.figures.failuresOf('timeout')).toBe(2);
    expect(test.door.figures.failuresOf('connection-lost')).toBe(0);
  });

  it('make room for others when there are too many, if nothing has come; otherwise the newest is refused', async () => {
    const test = await TlsBroker.start({ certificates: [server], maximumHandshakes: 2 });
    const silent = plainConnection(test.port);
    await test.passUntil('one', () => test.door.pendingHandshakes === 1, 0);
    const slow = plainConnection(test.port);
    slow.write(Buffer.from([0x16, 3, 1]));
    await test.passUntil('both', () => test.door.pendingHandshakes === 2, 0);
    // Both may just be on their way.
    await failure(test.connect({ ca: authority.pem }));
    expect(test.door.figures.failuresOf('too-many-handshakes')).toBe(1);
    test.clock.advance(1000);
    const served = await test.open({ ca: authority.pem });
    await served.connect({ clientId: 'c' });
    await closed(silent);
    expect(test.door.figures.failuresOf('timeout')).toBe(1);
    expect(test.door.pendingHandshakes).toBe(1);
  });
});

describe('several certificates', () => {
  const named = (name: string, options: ConnectionOptions = {}): ConnectionOptions => ({
    ca: authority.pem,
    servername: name,
    checkServerIdentity: () => undefined,
    ...options,
  });

  it('are chosen by the name that the client asks for: the exact one, then one with a wildcard, then the first', async () => {
    const one = authority.issue('one', { alternativeNames: 'DNS:one.example.com' });
    const any = authority.issue('any', { alternativeNames: 'DNS:*.example.com' });
    const two = authority.issue('two', { alternativeNames: 'DNS:two.example.com' });
    const test = await TlsBroker.start({ certificates: [one, any, two] });
    const subjectFor = async (options: ConnectionOptions) =>
      (await test.secure(options)).getPeerCertificate().subject.CN;
    expect(await subjectFor(named('one.example.com'))).toBe('one');
    expect(await subjectFor(named('two.example.com'))).toBe('two');
    expect(await subjectFor(named('three.example.com'))).toBe('any');
    expect(await subjectFor(named('elsewhere.test'))).toBe('one');
    expect(await subjectFor({ ca: authority.pem, servername: '', checkServerIdentity: () => undefined })).toBe('one');
  });

  it('all ask for the certificate of the client', async () => {
    const one = authority.issue('one', { alternativeNames: 'DNS:one.example.com' });
    const two = authority.issue('two', { alternativeNames: 'DNS:two.example.com' });
    const device = authority.issue('device');
    const ca = authority.certificate;
    const test = await TlsBroker.start({ certificates: [one, two], ca, clientCertificate: 'require' });
    const withOwn = { cert: readFileSync(device.certificate), key: readFileSync(device.key) };
    const client = await test.open(named('two.example.com', withOwn));
    expect((await client.connect({ clientId: 'c' })).reasonCode).toBe(0);
    const without = await test.secure(named('two.example.com'));
    await closed(without);
    expect(test.door.figures.failuresOf('certificate-missing')).toBe(1);
  });
});
