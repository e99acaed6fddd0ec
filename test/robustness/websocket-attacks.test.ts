/** What can go wrong below MQTT on a WebSocket listener: the upgrade, frames, and the end. */
import { randomBytes } from 'node:crypto';
import { connect as connectSocket, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BrokerProcess } from './support/broker-process.js';
import { connect, publish } from './support/packets.js';
import { eventually, sleep } from './support/raw-client.js';
import { IS_LONG } from './support/settings.js';
import { Witness } from './support/witness.js';

const MiB = 1024 * 1024;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
let broker: BrokerProcess;
let witness: Witness;
let sockets: Socket[] = [];

beforeEach(async () => {
  broker = await BrokerProcess.start();
  witness = await Witness.start(broker.port);
});

afterEach(async () => {
  await witness.stop();
  expect(witness.longestMs).toBeLessThan(2000);
  const report = await broker.report();
  expect(report.errors, report.lastErrors.join()).toBe(0);
  for (const socket of sockets) socket.destroy();
  sockets = [];
  await broker.end();
});

/** Opens a socket that never closes its own side. */
async function open(): Promise<Socket> {
  const socket = connectSocket({ port: broker.webSocketPort, host: '127.0.0.1', allowHalfOpen: true });
  sockets.push(socket);
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

function upgradeRequest(path = '/mqtt', protocol = 'mqtt'): string {
  const key = randomBytes(16).toString('base64');
  return [
    `GET ${path} HTTP/1.1`,
    'Host: localhost',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${key}`,
    `Sec-WebSocket-Protocol: ${protocol}`,
    '\r\n',
  ].join('\r\n');
}

async function upgraded(): Promise<Socket> {
  const socket = await open();
  socket.write(upgradeRequest());
  await new Promise((resolve) => socket.once('data', resolve));
  return socket;
}

function wsFrame(opcode: number, payload: Buffer, options: { final?: boolean; masked?: boolean } = {}): Buffer {
  const { final = true, masked = true } = options;
  const length = payload.length;
  const head = length < 126 ? Buffer.alloc(2) : length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head[0] = (final ? 0x80 : 0) | opcode;
  if (length < 126) head[1] = length;
  else if (length < 65_536) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  if (!masked) return Buffer.concat([head, payload]);
  head[1] = (head[1] as number) | 0x80;
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}

async function openSockets(): Promise<number> {
  return (await broker.report()).socketsOpen;
}

it.each([
  ['a wrong path', upgradeRequest('/wrong')],
  ['a wrong subprotocol', upgradeRequest('/mqtt', 'chat')],
  ['a plain request', 'GET /mqtt HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['no HTTP', 'MQTT\r\n\r\n'],
  ['a wrong version', upgradeRequest().replace('Version: 13', 'Version: 99')],
])('peers that came with %s and never close are gone soon', async (_name, request) => {
  const before = await openSockets();
  for (let i = 0; i < 50; i++) (await open()).write(request);
  await sleep(200);
  await eventually(async () => (await openSockets()) <= before, 4_000);
});

it.runIf(IS_LONG)('an upgrade that is never finished is given up', { timeout: 60_000 }, async () => {
  const before = await openSockets();
  for (let i = 0; i < 50; i++) (await open()).write('GET /mqtt HTTP/1.1\r\nHost: loc');
  for (let i = 0; i < 50; i++) await open();
  await eventually(async () => (await openSockets()) <= before, 45_000);
});

describe('frames', () => {
  const first = connect({ clientId: 'ws' });

  it.each([
    ['a text frame', wsFrame(TEXT, Buffer.from('hello'))],
    ['an unmasked frame', wsFrame(BINARY, connect(), { masked: false })],
    ['a reserved opcode', wsFrame(5, Buffer.alloc(3))],
    ['a fragmented ping', wsFrame(PING, Buffer.alloc(3), { final: false })],
    ['a frame of 2^62 bytes', Buffer.from('82ff4000000000000000000000', 'hex')],
    ['a close frame of one byte', wsFrame(CLOSE, Buffer.alloc(1))],
    ['a continuation of nothing', wsFrame(0, Buffer.alloc(3))],
  ])('%s ends the connection', async (_name, bytes) => {
    const socket = await upgraded();
    socket.write(wsFrame(BINARY, first));
    await eventually(async () => (await broker.report()).connections === 3);
    const before = await broker.report();
    socket.write(bytes);
    await eventually(async () => (await broker.report()).connections === 2);
    await eventually(async () => (await openSockets()) < before.socketsOpen, 3_000);
    expect((await broker.report()).closes['internal-error']).toBe(0);
  });

  it('fragments of one byte make a packet', async () => {
    const socket = await upgraded();
    const fragments = [...first].map((byte, n) =>
      wsFrame(n === 0 ? BINARY : 0, Buffer.from([byte]), { final: n === first.length - 1 }),
    );
    socket.write(Buffer.concat(fragments));
    await eventually(async () => (await broker.report()).connections === 3);
  });

  it('a close frame in the middle of a packet loses that packet only', async () => {
    const socket = await upgraded();
    socket.write(
      Buffer.concat([wsFrame(BINARY, first), wsFrame(BINARY, publish({ topic: 'r', payload: 'x', retain: true }))]),
    );
    socket.write(
      Buffer.concat([wsFrame(BINARY, publish({ topic: 'half' }).subarray(0, 4)), wsFrame(CLOSE, Buffer.alloc(0))]),
    );
    const retained = (await broker.report()).retained;
    await eventually(async () => (await broker.report()).connections === 2);
    expect((await broker.report()).retained).toBeGreaterThanOrEqual(retained);
  });

  it.each([
    ['pings', wsFrame(PING, Buffer.alloc(125))],
    ['empty messages', wsFrame(BINARY, Buffer.alloc(0))],
    ['tiny fragments', wsFrame(0, Buffer.from([1]), { final: false })],
  ])('a flood of %s from a peer that reads nothing takes no memory', async (name, packet) => {
    const before = await broker.collect();
    const socket = await upgraded();
    socket.pause();
    if (name === 'tiny fragments') socket.write(wsFrame(BINARY, Buffer.from([1]), { final: false }));
    const chunk = Buffer.concat(new Array<Buffer>(2000).fill(packet));
    const end = Date.now() + 600;
    let peak = 0;
    while (Date.now() < end && !socket.destroyed) {
      if (!socket.write(chunk))
        await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), sleep(200)]);
      peak = Math.max(peak, (await broker.report()).rss);
    }
    expect((peak - before.rss) / MiB).toBeLessThan(128);
  });
});
