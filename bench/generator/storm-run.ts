/** A fleet connects, leaves, and connects again, as fast as the broker takes it. */
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from './client.js';
import { percentileOf } from './percentiles.js';
import { Samples } from './samples.js';
import type { StormJob, StormResult } from './storm-job.js';
import { UsageWindow } from './usage-window.js';

/** For the broker to notice that nobody is there any more. */
const PAUSE_MS = 2000;

export async function runStorm(job: StormJob): Promise<StormResult> {
  const first = await storm(job);
  for (const client of first.clients) client.close();
  await delay(PAUSE_MS);
  const window = UsageWindow.begin(job.brokerPid);
  const second = await storm(job);
  const usage = window.end();
  for (const client of second.clients) client.close();
  const sorted = second.latencies.sorted();
  return {
    kind: 'storm',
    ...usage,
    connected: second.clients.length,
    refused: first.refused + second.refused,
    firstPerSecond: first.clients.length / first.seconds,
    p50Ms: percentileOf(sorted, 50),
    p99Ms: percentileOf(sorted, 99),
  };
}

interface Storm {
  readonly clients: readonly Client[];
  readonly latencies: Samples;
  readonly refused: number;
  readonly seconds: number;
}

/** So many places, each taken again as soon as its connect has its answer. */
async function storm({ address, protocol, connections, atOnce }: StormJob): Promise<Storm> {
  const clients: Client[] = [];
  const latencies = new Samples(connections);
  const beganMs = performance.now();
  let next = 0;
  let refused = 0;
  const place = async (): Promise<void> => {
    while (next < connections) {
      const device = next++;
      const startedMs = performance.now();
      try {
        clients.push(await Client.open(address, protocol, `bench-device-${device}`));
        latencies.add(performance.now() - startedMs);
      } catch {
        refused++;
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, place));
  return { clients, latencies, refused, seconds: (performance.now() - beganMs) / 1000 };
}
