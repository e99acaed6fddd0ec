/** Against a real server: what is tested is what Node's TCP handles do. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { deprecate } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { type BareClient, type BareClientOwner, BareClients } from '../../../bench/generator/bare-client.js';
import { ConnectionRefused } from '../../../bench/generator/connack.js';
import { connectFrame, DISCONNECT_FRAME, type Protocol } from '../../../bench/generator/frames.js';
import type { StormJob } from '../../../bench/generator/storm-job.js';
import { runStorm } from '../../../bench/generator/storm-run.js';
import { findTcpHandles, type TcpHandles } from '../../../bench/generator/tcp-handles.js';

const ACCEPTED = Buffer.from([0x20, 0x02, 0x00, 0x00]);
const ACCEPTED_V5 = Buffer.from([0x20, 0x06, 0x00, 0x00, 0x03, 0x21, 0x00, 0x0a]);
const NOT_AUTHORIZED = Buffer.from([0x20, 0x02, 0x00, 0x05]);
const NOT_AUTHORIZED_V5 = Buffer.from([0x20, 0x03, 0x00, 0x87, 0x00]);

const found = findTcpHandles();
const handles = found as TcpHandles;

const servers = new Map<Server, Set<Socket>>();

afterEach(async () => {
  for (const [server, sockets] of servers) {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  }
  servers.clear();
});

/** @param onConnect called with the first that a client says */
async function listening(
  onConnect: (socket: Socket, bytes: Buffer) => void,
): Promise<{ server: Server; port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', (bytes) => onConnect(socket, bytes));
  });
  servers.set(server, sockets);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

/** What an owner is told, to be waited for. */
class Told implements BareClientOwner {
  readonly accepted: BareClient[] = [];
  readonly failed: [BareClient, unknown][] = [];
  #onNews: () => void = () => {};

  onAccepted(client: BareClient): void {
    this.accepted.push(client);
    this.#onNews();
  }

  onFailed(client: BareClient, error: unknown): void {
    this.failed.push([client, error]);
    this.#onNews();
  }

  news(): Promise<void> {
    return new Promise((resolve) => {
      this.#onNews = resolve;
    });
  }
}

interface Opening {
  readonly told: Told;
  readonly clients: BareClients;
  /** Opens one more, and waits for what comes of it. */
  readonly open: () => Promise<void>;
}

function opening(port: number, { protocol = 4 as Protocol, now = (): number => 0 } = {}): Opening {
  const told = new Told();
  const clients = new BareClients({ handles, ipv4: '127.0.0.1', port, protocol, now }, told);
  const open = (): Promise<void> => {
    const news = told.news();
    clients.open('device-7', connectFrame(protocol, 'device-7', false));
    return news;
  };
  return { told, clients, open };
}

function reasonOf(told: Told): string {
  expect(told.failed).toHaveLength(1);
  const [, error] = told.failed[0] as [BareClient, Error];
  return error.message;
}

describe('the look for TCP handles', () => {
  const node = process as unknown as { binding: (name: string) => unknown };
  const own = node.binding;
  const isSilent = process.noDeprecation;
  const warnings: string[] = [];
  const onWarning = ({ message }: Error): void => void warnings.push(message);

  afterEach(() => {
    node.binding = own;
    process.off('warning', onWarning);
    warnings.length = 0;
  });

  it('says nothing on the console, in a Node that says that one should not', async () => {
    process.on('warning', onWarning);
    node.binding = deprecate(own, 'do not look', 'TEST1');
    findTcpHandles();
    expect(process.noDeprecation).toBe(isSilent);
    await nextTurn();
    expect(warnings).toEqual([]);
  });

  it.each<[string, () => unknown]>([
    ['nothing', () => undefined],
    [
      'an error',
      () => {
        throw new Error('No such module');
      },
    ],
    ['something else', () => ({ TCP: class {}, constants: { SOCKET: 0 }, streamBaseState: new Int32Array(1) })],
  ])('is in vain in a Node that has %s there', (_what, binding) => {
    node.binding = binding;
    expect(findTcpHandles()).toBeUndefined();
    expect(process.noDeprecation).toBe(isSilent);
  });
});

describe.skipIf(found === undefined)('a client without a stream', () => {
  it.each<[Protocol, Buffer]>([
    [4, ACCEPTED],
    [5, ACCEPTED_V5],
  ])('says CONNECT of MQTT %d, is accepted, and leaves with DISCONNECT', async (protocol, connack) => {
    const received: Buffer[] = [];
    let hasLeft: Promise<unknown> = Promise.resolve();
    const { port } = await listening((socket, bytes) => {
      received.push(bytes);
      socket.on('data', (more) => received.push(more));
      hasLeft = once(socket, 'end');
      socket.write(connack);
    });
    const { told, open } = opening(port, { protocol });
    await open();
    expect(told.accepted).toHaveLength(1);
    expect(received).toEqual([connectFrame(protocol, 'device-7', false)]);
    told.accepted[0]?.close();
    told.accepted[0]?.close();
    await hasLeft;
    expect(received.slice(1)).toEqual([DISCONNECT_FRAME]);
    expect(told.failed).toEqual([]);
  });

  it.each<[Protocol, Buffer, string]>([
    [4, NOT_AUTHORIZED, '0x5'],
    [5, NOT_AUTHORIZED_V5, '0x87'],
  ])('is refused in MQTT %d with the code of the broker, and hangs up', async (protocol, connack, code) => {
    let hungUp: Promise<unknown> = Promise.resolve();
    const { port } = await listening((socket) => {
      hungUp = once(socket, 'end');
      socket.write(connack);
    });
    const { told, open } = opening(port, { protocol });
    await open();
    expect(told.accepted).toEqual([]);
    expect(told.failed[0]?.[1]).toBeInstanceOf(ConnectionRefused);
    expect(reasonOf(told)).toContain(`code ${code}`);
    await hungUp;
  });

  it.each([1, 2, 3])('takes a CONNACK of which %d bytes come first', async (length) => {
    const { port } = await listening((socket) => {
      socket.write(ACCEPTED.subarray(0, length));
      piecesOf(socket, ACCEPTED.subarray(length));
    });
    const { told, open } = opening(port);
    await open();
    expect(told.accepted).toHaveLength(1);
  });

  it('does not take two halves of the CONNACKs of two clients for one', async () => {
    const sockets: Socket[] = [];
    const { port } = await listening((socket) => {
      sockets.push(socket);
      if (sockets.length < 2) return;
      const [first, second] = sockets as [Socket, Socket];
      first.write(ACCEPTED.subarray(0, 2));
      second.write(ACCEPTED.subarray(0, 2), () => first.destroy());
    });
    const { told, open } = opening(port);
    void open();
    await open();
    expect(told.accepted).toEqual([]);
    expect(reasonOf(told)).toContain('closed by the broker');
  });

  it.each<[string, (socket: Socket) => void, string]>([
    ['hangs up', (socket) => socket.end(), 'closed by the broker'],
    ['hangs up within its CONNACK', (socket) => socket.end(ACCEPTED.subarray(0, 3)), 'closed by the broker'],
    ['resets the connection', (socket) => socket.resetAndDestroy(), 'ECONNRESET'],
  ])('fails once when the broker %s', async (_what, answer, reason) => {
    const { port } = await listening(answer);
    const { told, open } = opening(port);
    await open();
    expect(told.accepted).toEqual([]);
    expect(reasonOf(told)).toContain(reason);
  });

  it('is lost when the broker hangs up after it has accepted', async () => {
    const { port } = await listening((socket) => socket.write(ACCEPTED, () => piecesOf(socket)));
    const { told, open } = opening(port);
    await open();
    const news = told.news();
    expect(told.accepted).toHaveLength(1);
    await news;
    expect(told.failed[0]?.[0]).toBe(told.accepted[0]);
    expect(reasonOf(told)).toContain('closed by the broker');
  });

  it('fails where nobody listens', async () => {
    const { server, port } = await listening(() => {});
    await new Promise((resolve) => server.close(resolve));
    const { told, open } = opening(port);
    await open();
    expect(reasonOf(told)).toContain('ECONNREFUSED');
  });

  it('fails, but not within the call, when it cannot even begin', async () => {
    const told = new Told();
    const clients = new BareClients({ handles, ipv4: 'nowhere', port: 1, protocol: 4 }, told);
    const news = told.news();
    clients.open('device-7', connectFrame(4, 'device-7', false));
    expect(told.failed).toEqual([]);
    await news;
    expect(reasonOf(told)).toContain('EINVAL');
  });

  it('is given up when no answer has come in thirty seconds, and only then', async () => {
    let nowMs = 1000;
    const connected: Socket[] = [];
    let onConnect: () => void = () => {};
    const { port } = await listening((socket) => {
      connected.push(socket);
      onConnect();
    });
    const { told, clients, open } = opening(port, { now: () => nowMs });
    for (let device = 0; device < 2; device++) {
      const isConnected = new Promise<void>((resolve) => {
        onConnect = resolve;
      });
      void open();
      await isConnected;
      nowMs += 10_000;
    }
    nowMs = 1000 + 29_999;
    clients.giveUpLate();
    expect(told.failed).toEqual([]);
    nowMs++;
    const hungUp = once(connected[0] as Socket, 'end');
    clients.giveUpLate();
    expect(reasonOf(told)).toContain('no answer');
    await hungUp;
    const news = told.news();
    connected[1]?.write(ACCEPTED);
    await news;
    expect(told.accepted).toHaveLength(1);
    nowMs += 60_000;
    clients.giveUpLate();
    expect(told.failed).toHaveLength(1);
  });

  it('is given up while it connects', async () => {
    let nowMs = 0;
    const { port } = await listening((socket) => socket.write(ACCEPTED));
    const { told, clients, open } = opening(port, { now: () => nowMs });
    const news = open();
    nowMs = 30_000;
    clients.giveUpLate();
    await news;
    expect(reasonOf(told)).toContain('no answer');
    await opening(port).open();
    expect(told.accepted).toEqual([]);
    expect(told.failed).toHaveLength(1);
  });
});

describe('a storm of connects', () => {
  const made = [
    ['TCP handles', found],
    ['clients where Node has no handles', undefined],
  ] as const;

  it.each(made)('counts who is accepted, refused and lost, with %s', async (_what, with_) => {
    let opened = 0;
    const { port } = await listening((socket) => {
      const device = opened++ % 10;
      if (device === 3) socket.end(NOT_AUTHORIZED);
      else if (device === 6) socket.destroy();
      else socket.write(ACCEPTED);
    });
    const job: StormJob = {
      kind: 'storm',
      address: { host: '127.0.0.1', port },
      protocol: 4,
      connections: 100,
      atOnce: 8,
    };
    const result = await runStorm(job, with_, 0);
    expect(opened).toBe(200);
    expect(result).toMatchObject({ kind: 'storm', connected: 80, refused: 40 });
    expect(result.p99Ms).toBeGreaterThanOrEqual(result.p50Ms);
    expect(result.p50Ms).toBeGreaterThan(0);
  });

  it.each(made)('ends when nobody listens, with %s', async (_what, with_) => {
    const { server, port } = await listening(() => {});
    await new Promise((resolve) => server.close(resolve));
    const address = { host: '127.0.0.1', port };
    const result = await runStorm({ kind: 'storm', address, protocol: 4, connections: 20, atOnce: 400 }, with_, 0);
    expect(result).toMatchObject({ connected: 0, refused: 40 });
  });
});

/** Writes what is left, or nothing but the end, in a later turn: it goes out by itself, since the server does not wait to fill a segment. */
function piecesOf(socket: Socket, rest?: Buffer): void {
  setImmediate(() => (rest === undefined ? socket.end() : setImmediate(() => socket.write(rest))));
}
