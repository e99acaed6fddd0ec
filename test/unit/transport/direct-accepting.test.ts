/** Connections accepted without Node's own steps: the sockets are as Node's are. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { acceptDirectly } from '../../../src/transport/direct-accepting.js';

const HIGH_WATER_MARK = 12_345;

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

async function listening(onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: HIGH_WATER_MARK }, onConnection);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** A client, and the server's side of it. */
async function acceptOne(isDirect: boolean): Promise<{ readonly client: Socket; readonly accepted: Socket }> {
  let onSocket: (socket: Socket) => void = () => {};
  const coming = new Promise<Socket>((resolve) => {
    onSocket = resolve;
  });
  const server = await listening((socket) => onSocket(socket));
  if (isDirect) expect(acceptDirectly(server, HIGH_WATER_MARK, onSocket)).toBe(true);
  const client = connect({ port: portOf(server), host: '127.0.0.1', allowHalfOpen: true });
  const accepted = await coming;
  sockets.push(client, accepted);
  return { client, accepted };
}

function stateOf(socket: Socket): object {
  const { allowHalfOpen, readable, writable, readableHighWaterMark, writableHighWaterMark } = socket;
  const { readableFlowing, destroyed, connecting, readyState, remoteAddress, remoteFamily, localAddress } = socket;
  const symbols = Object.getOwnPropertySymbols(socket)
    .map((symbol) => [symbol.description, (socket as unknown as Record<symbol, unknown>)[symbol]] as const)
    .filter(([, value]) => typeof value === 'boolean');
  return {
    allowHalfOpen,
    readable,
    writable,
    readableHighWaterMark,
    writableHighWaterMark,
    readableFlowing,
    destroyed,
    connecting,
    readyState,
    remoteAddress,
    remoteFamily,
    localAddress,
    flags: Object.fromEntries(symbols),
    events: socket.eventNames(),
    keys: Object.keys(socket).filter((key) => key !== 'server' && key !== '_server'),
  };
}

describe('acceptDirectly', () => {
  it("makes sockets that are as those of Node's server", async () => {
    const direct = await acceptOne(true);
    const ordinary = await acceptOne(false);
    expect(stateOf(direct.accepted)).toEqual(stateOf(ordinary.accepted));
    expect(stateOf(direct.accepted)).toMatchObject({ allowHalfOpen: true, readableHighWaterMark: HIGH_WATER_MARK });
  });

  it('carries bytes both ways, and goes on after the client has ended its half', async () => {
    const { client, accepted } = await acceptOne(true);
    const closed = once(accepted, 'close');
    accepted.on('data', (question) => {
      accepted.on('end', () => accepted.end(`${question}!`));
    });
    client.end('hello');
    const [answer] = await once(client, 'data');
    expect(String(answer)).toBe('hello!');
    await closed;
  });

  it('does not hand a connection to the server as well', async () => {
    let handed = 0;
    const server = await listening(() => handed++);
    const coming = new Promise<Socket>((resolve) => acceptDirectly(server, HIGH_WATER_MARK, resolve));
    sockets.push(connect(portOf(server), '127.0.0.1'), await coming);
    expect(handed).toBe(0);
  });

  it('tells the server of a failure', async () => {
    const server = await listening(() => {});
    const accepted: Socket[] = [];
    acceptDirectly(server, HIGH_WATER_MARK, (socket) => accepted.push(socket));
    const failed = once(server, 'error');
    const { _handle } = server as unknown as { _handle: { onconnection(error: number, handle?: object): void } };
    _handle.onconnection(-24);
    expect((await failed)[0]).toMatchObject({ code: 'EMFILE', syscall: 'accept' });
    expect(accepted).toEqual([]);
  });

  it('closes the server while connections last', async () => {
    const server = await listening(() => {});
    const coming = new Promise<Socket>((resolve) => acceptDirectly(server, HIGH_WATER_MARK, resolve));
    const client = connect(portOf(server), '127.0.0.1');
    const accepted = await coming;
    sockets.push(client, accepted);
    server.close();
    await once(server, 'close');
    accepted.write('still here');
    expect(String((await once(client, 'data'))[0])).toBe('still here');
  });

  it('leaves a server alone that does not listen', () => {
    expect(acceptDirectly(createServer(), HIGH_WATER_MARK, () => {})).toBe(false);
  });
});
