/** A peer, up and accepting MQTT connections, for the length of one run or until it is started again. */
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BenchFailure } from './bench-failure.js';
import { killProcess, startProcess, stopProcess } from './child-processes.js';
import type { Address } from './generator/broker-under-test.js';
import { Client } from './generator/client.js';
import type { Protocol } from './generator/frames.js';
import { LOAD_LOGIN } from './generator/logins.js';
import { isEncrypted, type Transport } from './generator/transport.js';
import { sqsPortOf } from './peers/millrace.js';
import type { LaunchedPeer, Peer } from './peers/peer.js';
import { makeCertificate } from './tls-certificate.js';

const START_MS = 15_000;
const RETRY_MS = 10;
const KEPT_OUTPUT_CHARACTERS = 2000;
const PORT_ATTEMPTS = 100;

export interface RunningBroker {
  readonly address: Address;
  readonly pid: number | undefined;
  /** From the start of the process to its first CONNACK; 0 when it ran already. */
  readonly startedInMs: number;
  /** @param patienceMs how long it may take to end by itself */
  stop(patienceMs?: number): Promise<void>;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
}

export interface BrokerSetting {
  readonly protocol: Protocol;
  readonly transport: Transport;
  readonly fileDescriptors: number;
  /** Put before the command, for pinning. */
  readonly prefix: readonly string[];
  /** For its files: empty, or left by an earlier process of the same peer. */
  readonly directory: string;
  /** For peers that take one. */
  readonly configurationFile?: string;
  /** For peers that take one; LOAD_LOGIN is in it. */
  readonly passwordFile?: string;
  /** How long it may take until it answers a CONNECT (default: 15 seconds). */
  readonly startMs?: number;
  /** For the broker's process, besides that of the benchmark. */
  readonly environment?: Readonly<Record<string, string>>;
}

const directories = new Set<string>();

// After child-processes has ended the brokers that write there: its listener was registered first.
process.once('exit', () => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
});

/** Runs `use` with a new directory below `parent`, and removes it. */
export async function withDirectory<Value>(parent: string, use: (directory: string) => Promise<Value>): Promise<Value> {
  const directory = mkdtempSync(join(parent, 'millrace-bench-'));
  directories.add(directory);
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
    directories.delete(directory);
  }
}

/** @throws BenchFailure when it does not answer a CONNECT in time */
export async function startBroker(peer: Peer, setting: BrokerSetting): Promise<RunningBroker> {
  const { source } = peer;
  if (source.kind === 'external') {
    const nothing = async (): Promise<void> => {};
    const address = { host: source.host, port: source.port, transport: setting.transport };
    return { address, pid: undefined, startedInMs: 0, stop: nothing, kill: nothing };
  }
  return launch(source, setting);
}

async function launch(peer: LaunchedPeer, setting: BrokerSetting): Promise<RunningBroker> {
  const { transport, directory, configurationFile, passwordFile } = setting;
  const address = { host: '127.0.0.1', port: await findFreePorts(), transport };
  const command = peer.command({
    port: address.port,
    transport,
    directory,
    ...(isEncrypted(transport) && { certificate: makeCertificate(directory) }),
    ...(configurationFile !== undefined && { configurationFile }),
    ...(passwordFile !== undefined && { passwordFile }),
  });
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
  const beganMs = performance.now();
  const child = startProcess([...setting.prefix, ...command], setting.fileDescriptors, stdio, setting.environment);
  try {
    await untilConnectable(child, address, setting);
  } catch (error) {
    await stopProcess(child);
    throw error;
  }
  return {
    address,
    pid: child.pid,
    startedInMs: performance.now() - beganMs,
    stop: (patienceMs) => stopProcess(child, patienceMs),
    kill: () => killProcess(child),
  };
}

async function untilConnectable(child: ChildProcess, address: Address, setting: BrokerSetting): Promise<void> {
  let output = '';
  // Some say on one of them why they end, some on the other. Both are read to the end: a full pipe would hold the broker up.
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-KEPT_OUTPUT_CHARACTERS);
    });
  }
  // Later than the end of the process: all that it has said has been read then.
  const closed = new Promise((resolve) => child.once('close', resolve));
  const startMs = setting.startMs ?? START_MS;
  const choice = setting.passwordFile === undefined ? {} : { login: LOAD_LOGIN };
  const deadline = performance.now() + startMs;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) {
      await closed;
      throw new BenchFailure(`ended with code ${child.exitCode}: ${output.trim()}`);
    }
    try {
      const client = await Client.open(address, setting.protocol, 'bench-readiness', choice);
      client.close();
      return;
    } catch {
      await delay(RETRY_MS);
    }
  }
  throw new BenchFailure(`did not accept a connection within ${startMs} ms: ${output.trim()}`);
}

/** A free port whose neighbour, for clients of SQS, is free as well. */
async function findFreePorts(): Promise<number> {
  for (let left = PORT_ATTEMPTS; left > 0; left--) {
    const port = await probe(0);
    if (port !== null && (await probe(sqsPortOf(port))) !== null) return port;
  }
  throw new BenchFailure('no free port that has a free neighbour');
}

/** @param wanted 0 for any @returns the port, null if it is taken */
function probe(wanted: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(wanted, '127.0.0.1', () => {
      const bound = server.address();
      server.close(() => resolve(bound !== null && typeof bound === 'object' ? bound.port : null));
    });
  });
}
