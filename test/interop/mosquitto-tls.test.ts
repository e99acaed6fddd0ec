/** mosquitto_pub, mosquitto_sub and openssl s_client over TLS. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Broker } from '../../src/broker/broker.js';
import { TestAuthority } from '../support/test-authority.js';
import { endPrograms, runProgram, startProgram } from './run-program.js';

const authority = TestAuthority.ofFile();
const server = authority.issueServer('server');
const device = authority.issue('device-7');
const stranger = TestAuthority.ofFile('stranger').issue('device-8');

let broker: Broker;
let open: string[];
let closed: string[];
let closedPort: string;

beforeAll(async () => {
  const common = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
  const clients = { ca: authority.certificate, clientCertificate: 'require', username: 'common-name' } as const;
  broker = await Broker.start({
    listeners: [
      { ...common, name: 'open', tls: { certificates: [server] } },
      { ...common, name: 'closed', tls: { certificates: [server], ...clients } },
    ],
  });
  const [first, second] = broker.listeners.map(({ port }) => String(port));
  closedPort = second ?? '';
  open = ['-h', 'localhost', '-p', first ?? '', '--cafile', authority.certificate];
  closed = ['-h', 'localhost', '-p', closedPort, '--cafile', authority.certificate];
});

afterAll(async () => {
  endPrograms();
  await broker.stop(1000);
});

const withCertificate = ({ certificate, key }: typeof device) => ['--cert', certificate, '--key', key];

describe('mosquitto clients over TLS', () => {
  it.each(['tlsv1.2', 'tlsv1.3'])('cross by %s', async (version) => {
    const isSubscribed = once(broker.events, 'subscribed');
    const topic = `tls/${version}`;
    const received = startProgram('mosquitto_sub', [...open, '-t', topic, '-C', '1', '-q', '1']);
    await isSubscribed;
    const options = ['--tls-version', version, '--tls-alpn', 'mqtt', '-t', topic, '-m', 'hello', '-q', '1'];
    expect((await runProgram('mosquitto_pub', [...open, ...options])).exitCode).toBe(0);
    expect((await received.finished).output).toContain('hello');
  });

  it('are known by their certificates', async () => {
    const connected = once(broker.events, 'clientConnected');
    const options = [...closed, ...withCertificate(device), '-t', 't', '-m', 'x', '-q', '1'];
    expect((await runProgram('mosquitto_pub', options)).exitCode).toBe(0);
    expect(await connected).toEqual([expect.objectContaining({ username: 'device-7', listener: 'closed' })]);
  });

  it.each([
    ['without a certificate', () => []],
    ['with one of another authority', () => withCertificate(stranger)],
  ])('are not let in %s', async (_what, options) => {
    const { exitCode } = await runProgram('mosquitto_pub', [...closed, ...options(), '-t', 't', '-m', 'x', '-q', '1']);
    expect(exitCode).not.toBe(0);
  });
});

describe('openssl s_client', () => {
  it('verifies the chain, and is told the protocol and a ticket', async () => {
    const options = ['-connect', `localhost:${closedPort}`, '-CAfile', authority.certificate, '-alpn', 'mqtt'];
    const certificate = ['-cert', device.certificate, '-key', device.key];
    const { output } = await runProgram('openssl', ['s_client', ...options, ...certificate, '-verify_return_error']);
    expect(output).toContain('Verify return code: 0 (ok)');
    expect(output).toContain('ALPN protocol: mqtt');
    expect(output).toContain('TLSv1.3');
  });
});
