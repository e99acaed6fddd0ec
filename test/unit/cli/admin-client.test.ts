/** Who gets the token of the administration, and who does not. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { AdminClient } from '../../../src/cli/admin-client.js';
import { BrokerIdentity } from '../../../src/http/broker-identity.js';

const TOKEN = 'a-token-that-is-long-enough';

interface Listening {
  readonly url: string;
  /** Of who answers there. */
  identity: BrokerIdentity;
  /** Paths of what came with the token. */
  readonly opened: string[];
}

async function listen(): Promise<Listening> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    if (request.headers.authorization !== undefined) listening.opened.push(pathname);
    const isIdentity = pathname === '/api/v1/identity';
    response.end(
      JSON.stringify(isIdentity ? { proof: listening.identity.prove(searchParams.get('challenge') ?? '') } : {}),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const listening: Listening = { url: `http://127.0.0.1:${port}`, identity: new BrokerIdentity(), opened: [] };
  return listening;
}

test('a process that takes the place of the broker between two calls does not get the token', async () => {
  const listening = await listen();
  const identity = new BrokerIdentity(listening.identity.secret);
  const client = new AdminClient({ url: listening.url, token: TOKEN, identity });
  expect(await client.call('GET', '/one')).toEqual({});
  listening.identity = new BrokerIdentity();
  await expect(client.call('GET', '/two')).rejects.toThrow('somebody else answers');
  expect(listening.opened).toEqual(['/one']);
});

test('whoever is named by address gets the token', async () => {
  const listening = await listen();
  const client = new AdminClient({ url: listening.url, token: TOKEN, identity: null });
  expect(await client.call('GET', '/one')).toEqual({});
  expect(listening.opened).toEqual(['/one']);
});
