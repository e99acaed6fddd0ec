/** HAProxy in front of the broker, with each form of the PROXY protocol, and as a proxy of HTTP. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { generate } from 'mqtt-packet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthenticationChain } from '../../src/auth/authentication-chain.js';
import { Broker } from '../../src/broker/broker.js';
import { TestAuthority } from '../support/test-authority.js';
import { endPrograms, startProgram } from './run-program.js';

const authority = TestAuthority.ofFile();
const server = authority.issueServer('server');
const device = authority.issue('device-7');
const NAMES = ['v1', 'v2', 'ssl', 'sum', 'tls', 'ws', 'http', 'direct'] as const;

let broker: Broker;
let folder: string;
const front = new Map<string, number>();

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

const backOf = (name: string): number => broker.listeners.find(({ options }) => options.name === name)?.port ?? 0;

/** Clients come from 127.0.0.1, and HAProxy from 127.0.0.9: whom the broker takes for the client is told apart. */
function configuration(): string {
  const pem = join(folder, 'server.pem');
  writeFileSync(pem, readFileSync(server.certificate, 'utf8') + readFileSync(server.key, 'utf8'));
  const secure = ` ssl crt ${pem} ca-file ${authority.certificate} verify required`;
  const proxied = (name: string, mode: string, bind: string, send: string): string => `
listen ${name}
  mode ${mode}
  bind 127.0.0.1:${front.get(name)}${bind}
  ${mode === 'http' ? 'option forwardfor' : ''}
  server broker 127.0.0.1:${backOf(name)} source 127.0.0.9 ${send}
`;
  return [
    'defaults\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n  timeout tunnel 30s\n',
    proxied('v1', 'tcp', '', 'send-proxy check inter 100ms'),
    proxied('v2', 'tcp', '', 'send-proxy-v2 check check-send-proxy inter 100ms'),
    proxied('ssl', 'tcp', secure, 'send-proxy-v2-ssl-cn'),
    proxied('sum', 'tcp', secure, 'send-proxy-v2-ssl-cn proxy-v2-options crc32c,authority,unique-id,ssl,cert-cn'),
    proxied('tls', 'tcp', '', 'send-proxy-v2'),
    proxied('ws', 'tcp', '', 'send-proxy-v2'),
    proxied('http', 'http', '', ''),
    proxied('direct', 'tcp', '', ''),
  ].join('');
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-haproxy-'));
  const common = { host: '127.0.0.1', port: 0 } as const;
  const proxyProtocol = { trusted: ['127.0.0.9'] };
  const named = { ...proxyProtocol, takesUsername: true };
  const tls = { certificates: [server] };
  broker = await Broker.start({
    authenticator: new AuthenticationChain(true),
    listeners: [
      { ...common, kind: 'tcp', name: 'v1', proxyProtocol },
      { ...common, kind: 'tcp', name: 'v2', proxyProtocol },
      { ...common, kind: 'tcp', name: 'ssl', proxyProtocol: named },
      { ...common, kind: 'tcp', name: 'sum', proxyProtocol: named },
      { ...common, kind: 'tcp', name: 'tls', proxyProtocol, tls },
      { ...common, kind: 'ws', name: 'ws', proxyProtocol },
      { ...common, kind: 'ws', name: 'http', forwardedFor: { trusted: ['127.0.0.9'], header: 'x-forwarded-for' } },
      { ...common, kind: 'tcp', name: 'direct', proxyProtocol },
    ],
  });
  for (const name of NAMES) front.set(name, await freePort());
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, configuration());
  const proxy = startProgram('/usr/sbin/haproxy', ['-db', '-f', file], 60_000);
  const isUp = Promise.all(NAMES.map((name) => untilOpen(front.get(name) ?? 0)));
  await Promise.race([isUp, proxy.endsTooEarly]);
});

afterAll(async () => {
  endPrograms();
  await broker.stop(1000);
  rmSync(folder, { recursive: true, force: true });
});

async function untilOpen(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'close')]).catch(
      () => false,
    );
    socket.destroy();
    if (isOpen === true) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const certificates = {
  ca: readFileSync(authority.certificate),
  cert: readFileSync(device.certificate),
  key: readFileSync(device.key),
};

/** A message goes through the proxy and back; the broker tells who it has come from. */
async function crossed(url: string, options: mqtt.IClientOptions = {}): Promise<Record<string, unknown>> {
  const connected = once(broker.events, 'clientConnected');
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0, ...options });
  try {
    const [info] = (await connected) as [Record<string, unknown>];
    await client.subscribeAsync('t', { qos: 1 });
    const received = new Promise<Buffer>((resolve) => client.once('message', (_topic, payload) => resolve(payload)));
    await client.publishAsync('t', Buffer.alloc(100_000, 'x'), { qos: 1 });
    expect((await received).length).toBe(100_000);
    return info;
  } finally {
    client.end(true);
  }
}

describe('behind HAProxy', () => {
  it.each([
    ['send-proxy', 'v1', 'mqtt', ''],
    ['send-proxy-v2', 'v2', 'mqtt', ''],
    ['send-proxy-v2, and TLS to the broker', 'tls', 'mqtts', ''],
    ['send-proxy-v2, over WebSocket', 'ws', 'ws', '/mqtt'],
    ['forwardfor, over WebSocket', 'http', 'ws', '/mqtt'],
  ])('the client is known with %s', async (_what, name, scheme, path) => {
    const info = await crossed(
      `${scheme}://localhost:${front.get(name)}${path}`,
      scheme === 'mqtts' ? certificates : {},
    );
    expect(info).toMatchObject({ listener: name, remoteAddress: '127.0.0.1', username: null });
  });

  it.each(['ssl', 'sum'])('the user is the name in the certificate that it has verified: %s', async (name) => {
    const info = await crossed(`mqtts://localhost:${front.get(name)}`, certificates);
    expect(info).toMatchObject({ listener: name, remoteAddress: '127.0.0.1', username: 'device-7' });
  });

  it('its health checks are no clients, and nothing is refused for them', async () => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const probed = broker.listeners.filter(({ options: { name } }) => name === 'v1' || name === 'v2');
    expect(probed.map(({ refusedConnections }) => refusedConnections)).toEqual([0, 0]);
  });

  it('nobody is let in if it is not configured to name the client', async () => {
    const socket = connect(front.get('direct') ?? 0, '127.0.0.1');
    socket.write(generate({ cmd: 'connect', clientId: 'c', protocolVersion: 4, clean: true, keepalive: 0 }));
    socket.resume();
    await once(socket, 'close');
    const listener = broker.listeners.find(({ options }) => options.name === 'direct');
    expect(listener?.refusals.get('proxy-header-missing')).toBeGreaterThan(0);
  });
});
