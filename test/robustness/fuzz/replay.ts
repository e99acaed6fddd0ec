/** Plays a case against a broker that has just been started, and stops it: what a finding is shown and shrunk with. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BrokerUnderTest } from './broker-under-test.js';
import { ClientClaims } from './client-claims.js';
import { Finding } from './finding.js';
import type { FuzzCase } from './fuzz-input.js';
import { SocketPlayer } from './socket-player.js';

export async function replay(fuzzCase: FuzzCase, main: string): Promise<Finding | undefined> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'millrace-fuzz-'));
  try {
    const broker = await BrokerUnderTest.start({ dataDirectory, main });
    const finding = await playAll(fuzzCase, broker);
    const { code } = await broker.stop();
    if (finding !== undefined) return finding;
    if (broker.errors.length > 0) return new Finding('log', broker.errors.join('\n'));
    return code === 0 ? undefined : new Finding('crash', `the broker ended with ${code}`);
  } finally {
    rmSync(dataDirectory, { recursive: true, force: true });
  }
}

async function playAll(fuzzCase: FuzzCase, broker: BrokerUnderTest): Promise<Finding | undefined> {
  const claims = new ClientClaims();
  for (const { scripts } of fuzzCase) {
    const played = await Promise.all(scripts.map((script) => SocketPlayer.play(script, broker.ports, claims)));
    if (broker.hasExited) return new Finding('crash', broker.errors.join('\n'));
    const finding = played.find((one) => one.finding !== undefined)?.finding;
    if (finding !== undefined) return finding;
  }
  return undefined;
}
