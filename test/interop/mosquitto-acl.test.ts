/**
 * The same acl_file in mosquitto (Debian: mosquitto 2.0) and here: the same clients may do the same. What differs is named at the end.
 */

import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { AccessControl } from '../../src/auth/access/access-control.js';
import { AccessRules } from '../../src/auth/access/access-rules.js';
import { AclFile } from '../../src/auth/access/acl-file.js';
import { Broker } from '../../src/broker/broker.js';
import { Random } from '../robustness/support/random-source.js';
import { publishPacket } from '../support/publish-packet.js';
import { type PacketOf, RawClient } from '../support/raw-client.js';
import { createTemporaryDirectory } from '../support/temporary-directory.js';
import { trustingAuthenticator } from '../support/trusting-authenticator.js';
import { type AclCase, type AclClient, ADMIN, makeCase } from './mosquitto-acl-cases.js';
import { endPrograms, startProgram } from './run-program.js';

const FIRST_SEED = 20261;
const FILES = 40;

afterEach(() => endPrograms());

/** mosquitto needs to be told a port. */
async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function onMosquitto<T>(text: string, ask: (port: number) => Promise<T>): Promise<T> {
  const port = await findFreePort();
  const directory = await createTemporaryDirectory();
  const aclFile = join(directory, 'acl');
  writeFileSync(aclFile, text);
  const configuration = join(directory, 'mosquitto.conf');
  const user = process.getuid?.() === 0 ? 'user root\n' : '';
  writeFileSync(configuration, `${user}listener ${port} 127.0.0.1\nallow_anonymous true\nacl_file ${aclFile}\n`);
  const program = startProgram('mosquitto', ['-c', configuration], 60_000);
  await Promise.race([reachable(port), program.endsTooEarly]);
  try {
    return await ask(port);
  } finally {
    program.kill();
    await program.finished;
  }
}

async function reachable(port: number): Promise<void> {
  for (;;) {
    const client = await RawClient.openTcp(port, 5).catch(() => undefined);
    client?.destroy();
    if (client !== undefined) return;
    await sleep(20);
  }
}

async function onOurs<T>(text: string, ask: (port: number) => Promise<T>): Promise<T> {
  const { file, problems } = AclFile.parse('acl', text);
  expect(problems).toEqual([]);
  const access = new AccessControl(new AccessRules(file, null), 'mosquitto');
  const broker = await Broker.start({
    access,
    authenticator: trustingAuthenticator,
    listeners: [{ name: 'tcp', kind: 'tcp', host: '127.0.0.1', port: 0 }],
  });
  try {
    return await ask(broker.listeners[0]?.port ?? 0);
  } finally {
    await broker.stop(100);
  }
}

async function connect(port: number, { username, clientId }: AclClient): Promise<RawClient> {
  const client = await RawClient.openTcp(port, 5);
  const connack = await client.connect({ clientId, ...(username === null ? {} : { username }) });
  if (connack.reasonCode !== 0) throw new Error(`${clientId} was refused: ${connack.reasonCode}`);
  return client;
}

/** What each client may do, one line for each permission: `c1 (u1) read a/b`. */
async function permissionsAt(port: number, { clients, topics }: AclCase): Promise<string[]> {
  const admin = await connect(port, ADMIN);
  const found: string[] = [];
  const named = await Promise.all(
    clients.map(async (client) => ({
      raw: await connect(port, client),
      name: `${client.clientId} (${client.username ?? 'no user'})`,
    })),
  );
  for (const { raw } of named) {
    await raw.subscribe('#');
    await raw.subscribe('$x/#');
  }
  await publishAll(admin, topics);
  for (const { raw, name } of named) {
    await raw.barrier();
    for (const packet of raw.takeAll()) found.push(`${name} read ${(packet as PacketOf<'publish'>).topic}`);
    raw.send({ cmd: 'unsubscribe', messageId: raw.nextPacketId(), unsubscriptions: ['#', '$x/#'] });
    await raw.expectPacket('unsuback');
  }
  for (const { raw, name } of named) {
    const codes = await publishAll(raw, topics);
    topics.forEach((topic, at) => {
      if (codes[at] !== 0x87) found.push(`${name} write ${topic}`);
    });
  }
  for (const client of [admin, ...named.map(({ raw }) => raw)]) client.destroy();
  return found.sort();
}

/** @returns the reason codes */
async function publishAll(client: RawClient, topics: readonly string[]): Promise<number[]> {
  client.sendTogether(topics.map((topic, at) => publishPacket(topic, 'x', { qos: 1, messageId: 100 + at })));
  const answers = await client.expectPackets('puback', topics.length);
  const codes = new Map(answers.map(({ messageId, reasonCode }) => [messageId, reasonCode ?? 0]));
  return topics.map((_, at) => codes.get(100 + at) ?? 0);
}

describe('an acl_file means here what it means to mosquitto', () => {
  const cases = Array.from({ length: FILES }, (_, at) => makeCase(new Random(FIRST_SEED + at), FIRST_SEED + at));

  let decisions = 0;
  let permissions = 0;

  it.each(cases)('by the file of seed $seed', async (acl) => {
    const theirs = await onMosquitto(acl.text, (port) => permissionsAt(port, acl));
    const ours = await onOurs(acl.text, (port) => permissionsAt(port, acl));
    expect(ours, acl.text).toEqual(theirs);
    decisions += 2 * acl.clients.length * acl.topics.length;
    permissions += theirs.length;
  });

  it('in many cases, of which enough are permitted and enough are not', () => {
    expect(decisions).toBeGreaterThan(20_000);
    expect(permissions / decisions).toBeGreaterThan(0.1);
    expect(permissions / decisions).toBeLessThan(0.9);
  });
});

describe('what differs from mosquitto 2.0', () => {
  const ann = { username: 'ann', clientId: 'c' };

  it('a placeholder within a level, which mosquitto fills in and we refuse', async () => {
    const text = 'pattern write x%u/y\n';
    const topics = ['xann/y', 'x%u/y'];
    const codes = await onMosquitto(text, async (port) => publishAll(await connect(port, ann), topics));
    expect(codes.map((code) => code === 0x87)).toEqual([false, true]);
    expect(AclFile.parse('acl', text).problems).toHaveLength(1);
  });

  it('a will without the right to it, which mosquitto takes and never sends, and we refuse', async () => {
    const will = { topic: 'secret', payload: Buffer.from('x'), qos: 0, retain: false } as const;
    const ask = async (port: number) => {
      const client = await RawClient.openTcp(port, 5);
      return (await client.connect({ clientId: 'c', username: 'ann', will })).reasonCode;
    };
    const text = 'user ann\ntopic read #\n';
    expect(await onMosquitto(text, ask)).toBe(0);
    expect(await onOurs(text, ask)).toBe(0x87);
  });

  it('the state of a bridge, which there anybody may tell who has the right, and here the bridge alone', async () => {
    const text = 'user ann\ntopic write $SYS/#\n';
    const topics = ['$SYS/broker/connection/c/state', '$SYS/broker/connection/other/state', '$SYS/broker/uptime'];
    const ask = async (port: number) =>
      (await publishAll(await connect(port, ann), topics)).map((code) => code !== 0x87);
    expect(await onMosquitto(text, ask)).toEqual([true, true, false]);
    expect(await onOurs(text, ask)).toEqual([true, false, false]);
  });
});
