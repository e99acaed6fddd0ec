/** A peer, up and accepting MQTT connections, for the length of one run. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BenchFailure } from './bench-failure.js';
import { startProcess, stopProcess } from './child-processes.js';
import { Client } from './generator/client.js';
import type { Protocol } from './generator/frames.js';
import type { Address } from './generator/job.js';
import type { LaunchedPeer, Peer } from './peers/peer.js';

const START_MS = 15_000;
const RETRY_MS = 50;
const KEPT_OUTPUT_CHARACTERS = 2000;

export interface RunningBroker {
  readonly address: Address;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

export interface BrokerSetting {
  readonly protocol: Protocol;
  readonly fileDescriptors: number;
  /** Put before the command, for pinning. */
  readonly prefix: readonly string[];
}

/** @throws BenchFailure when it does not answer a CONNECT within 15 seconds */
export async function startBroker(peer: Peer, setting: BrokerSetting): Promise<RunningBroker> {
  const { source } = peer;
  if (source.kind === 'external') {
    return { address: { host: source.host, port: source.port }, pid: undefined, stop: async () => {} };
  }
  return launch(source, setting);
}

async function launch(peer: LaunchedPeer, setting: BrokerSetting): Promise<RunningBroker> {
  const address = { host: '127.0.0.1', port: await findFreePort() };
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const command = [...setting.prefix, ...peer.command(address.port, directory)];
  const child = startProcess(command, setting.fileDescriptors, ['ignore', 'ignore', 'pipe']);
  const stop = async (): Promise<void> => {
    await stopProcess(child);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await untilConnectable(child, address, setting.protocol);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, pid: child.pid, stop };
}

async function untilConnectable(child: ChildProcess, address: Address, protocol: Protocol): Promise<void> {
  let output = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-KEPT_OUTPUT_CHARACTERS);
  });
  const deadline = performance.now() + START_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new BenchFailure(`ended with code ${child.exitCode}: ${output.trim()}`);
    try {
      const client = await Client.open(address, protocol, 'bench-readiness');
      client.close();
      return;
    } catch {
      await delay(RETRY_MS);
    }
  }
  throw new BenchFailure(`did not accept a connection within ${START_MS} ms: ${output.trim()}`);
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const bound = probe.address();
      probe.close(() => {
        if (bound !== null && typeof bound === 'object') resolve(bound.port);
        else reject(new BenchFailure('no free port'));
      });
    });
  });
}
