/** Sockets that all read into one buffer, and what each of them gets. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { directReader } from '../../../src/transport/direct-reading.js';

const received = new Map<Socket, Buffer[]>();
const read = directReader((socket, bytes) => {
  received.get(socket)?.push(bytes);
  onRead(socket);
  changed();
});
let changed = (): void => {};
let onRead = (_socket: Socket): void => {};
let server: Server;
const open: Socket[] = [];

async function connection(): Promise<{ client: Socket; accepted: Socket }> {
  const accepting = once(server, 'connection') as Promise<[Socket]>;
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').setNoDelay();
  const [accepted] = await accepting;
  open.push(client, accepted);
  return { client, accepted };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise<void>((resolve) => {
      changed = resolve;
    });
  }
}

function bytesOf(socket: Socket): Buffer {
  return Buffer.concat(received.get(socket) ?? []);
}

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    received.set(socket, []);
    if (!read(socket)) throw new Error('this version of Node cannot be read directly');
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
  received.clear();
  onRead = () => {};
  server.close();
});

describe('a socket that is read directly', () => {
  it('gets its own bytes, which later reads of it and of others leave as they are', async () => {
    const pairs = [await connection(), await connection(), await connection()];
    for (let round = 0; round < 200; round++) {
      for (const [index, { client, accepted }] of pairs.entries()) {
        const before = bytesOf(accepted).length;
        client.write(Buffer.alloc(1 + ((round * 37) % 900), 'abc'.charCodeAt(index)));
        await until(() => bytesOf(accepted).length === before + 1 + ((round * 37) % 900));
      }
    }
    for (const [index, { accepted }] of pairs.entries()) {
      expect(new Set(bytesOf(accepted))).toEqual(new Set(['abc'.charCodeAt(index)]));
    }
  });

  it('gets megabytes in their order', async () => {
    const { client, accepted } = await connection();
    const sent = Buffer.alloc(
      5_000_000,
      Uint8Array.from({ length: 251 }, (_, at) => at),
    );
    client.end(sent);
    await until(() => bytesOf(accepted).length === sent.length);
    expect(bytesOf(accepted).equals(sent)).toBe(true);
  });

  it('keeps no more than a slab for a few bytes, nor more than its own bytes for many', async () => {
    const { client, accepted } = await connection();
    client.write('few');
    await until(() => bytesOf(accepted).length === 3);
    client.write(Buffer.alloc(40_000));
    await until(() => bytesOf(accepted).length === 40_003);
    for (const { buffer, length } of received.get(accepted) ?? []) {
      expect(buffer.byteLength).toBeLessThanOrEqual(Math.max(64 * 1024, length));
      if (length > 8192) expect(buffer.byteLength).toBe(length);
    }
  });

  it('gets nothing while it is paused, and the rest when it goes on', async () => {
    const { client, accepted } = await connection();
    accepted.pause();
    await new Promise((resolve) => client.write('while paused', resolve));
    // Another one is served meanwhile: time has passed for the first one, too.
    const other = await connection();
    other.client.write('x');
    await until(() => bytesOf(other.accepted).length === 1);
    expect(bytesOf(accepted).length).toBe(0);
    accepted.resume();
    await until(() => bytesOf(accepted).length === 12);
    expect(bytesOf(accepted).toString()).toBe('while paused');
  });

  it('may be paused by who takes its bytes', async () => {
    const { client, accepted } = await connection();
    const sent = Buffer.alloc(1_000_000, 'p');
    onRead = (socket) => {
      socket.pause();
      setImmediate(() => socket.resume());
    };
    client.write(sent);
    await until(() => bytesOf(accepted).length === sent.length);
    expect(bytesOf(accepted).equals(sent)).toBe(true);
  });

  it('tells the end and errors as ever', async () => {
    const { client, accepted } = await connection();
    const ended = once(accepted, 'end');
    client.end('last');
    await ended;
    expect(bytesOf(accepted).toString()).toBe('last');
    const broken = await connection();
    const failed = once(broken.accepted, 'error');
    broken.client.resetAndDestroy();
    const [error] = await failed;
    expect(error).toMatchObject({ code: 'ECONNRESET' });
  });

  it('is read once, whoever asks again', async () => {
    const { accepted } = await connection();
    expect(read(accepted)).toBe(false);
  });

  it('is refused when there is nothing to read', () => {
    expect(read({ _handle: null } as unknown as Socket)).toBe(false);
  });
});
