/** Sockets that all read into one buffer, and what each of them gets. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DirectReader, directReading } from '../../../src/transport/direct-reading.js';

const received = new Map<Socket, Buffer[]>();
/** Where a socket is to be read to, once; what has come there is entered as its bytes. */
const rooms = new Map<Socket, Buffer>();
/** Bytes of each read, and how it was told. */
const reads: { how: 'own' | 'shared' | 'room'; length: number }[] = [];
let takesLongReads = false;

class Reader implements DirectReader {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get takesLongReads(): boolean {
    return takesLongReads;
  }

  get room(): Buffer | null {
    return rooms.get(this.#socket) ?? null;
  }

  onBytes(bytes: Buffer): void {
    this.#take('own', bytes);
  }

  onSharedBytes(bytes: Buffer): void {
    this.#take('shared', Buffer.from(bytes));
  }

  onRoomFilled(length: number): void {
    const room = this.room as Buffer;
    rooms.delete(this.#socket);
    this.#take('room', room.subarray(0, length));
  }

  #take(how: 'own' | 'shared' | 'room', bytes: Buffer): void {
    reads.push({ how, length: bytes.length });
    received.get(this.#socket)?.push(bytes);
    onRead(this.#socket);
    changed();
  }
}

const readers = new Map<Socket, Reader>();
const read = directReading((socket) => readers.get(socket) ?? null);
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
    readers.set(socket, new Reader(socket));
    if (!read(socket)) throw new Error('this version of Node cannot be read directly');
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
  received.clear();
  readers.clear();
  rooms.clear();
  reads.length = 0;
  takesLongReads = false;
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

  it('keeps no more than a slab for a few bytes, and hands on many where they are', async () => {
    const { client, accepted } = await connection();
    client.write('few');
    await until(() => bytesOf(accepted).length === 3);
    expect(received.get(accepted)?.[0]?.buffer.byteLength).toBeLessThanOrEqual(64 * 1024);
    client.write(Buffer.alloc(40_000));
    await until(() => bytesOf(accepted).length === 40_003);
    for (const { how, length } of reads) expect(how).toBe(length > 8192 ? 'shared' : 'own');
  });

  it('is read to the room that is asked for, as far as that goes, and elsewhere again behind it', async () => {
    const { client, accepted } = await connection();
    const other = await connection();
    const room = Buffer.alloc(20_000, '-');
    onRead = (socket) => {
      if (reads.length === 1) rooms.set(socket, room);
    };
    const first = Buffer.alloc(9000, 'f');
    accepted.pause();
    await new Promise((resolve) => client.write(first, resolve));
    accepted.resume();
    await until(() => bytesOf(accepted).length === 9000);
    other.client.write('of another');
    await until(() => bytesOf(other.accepted).length === 10);
    expect(room.equals(Buffer.alloc(20_000, '-'))).toBe(true);
    client.write(Buffer.alloc(20_000, 'r'));
    await until(() => bytesOf(accepted).length === 29_000);
    client.write('behind');
    await until(() => bytesOf(accepted).length === 29_006);
    expect(reads.filter(({ how }) => how === 'room').length).toBe(1);
    const inRoom = reads.find(({ how }) => how === 'room')?.length as number;
    expect(room.subarray(0, inRoom).equals(Buffer.alloc(inRoom, 'r'))).toBe(true);
    expect(bytesOf(accepted).toString()).toBe(`${'f'.repeat(9000)}${'r'.repeat(20_000)}behind`);
  });

  it('is not read in long stretches unless that is wanted', async () => {
    const { client, accepted } = await connection();
    const longest = (): number => Math.max(...reads.map(({ length }) => length));
    // As much as the system takes lies there when the socket is read again.
    const gather = async (total: number): Promise<void> => {
      accepted.pause();
      await new Promise((resolve) => client.write('begin', resolve));
      client.write(Buffer.alloc(1_999_995));
      accepted.resume();
      await until(() => bytesOf(accepted).length === total);
    };
    await gather(2_000_000);
    expect(longest()).toBeLessThanOrEqual(64 * 1024);
    takesLongReads = true;
    await gather(4_000_000);
    expect(longest()).toBeGreaterThan(64 * 1024);
    expect(longest()).toBeLessThanOrEqual(128 * 1024);
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
