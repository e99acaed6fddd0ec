/**
 * How long a PUBACK takes at a fixed rate: an open loop of QoS 1 messages, evenly spaced and in turn over the publishers,
 * into one persistent session that is away. The loop spins, since a timer of one millisecond is coarser than what is
 * measured; how late it was nevertheless is reported beside the latencies.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { BenchFailure } from '../bench-failure.js';
import type { Client } from './client.js';
import { fsyncMs } from './fsync-probe.js';
import type { LatencyJob, LatencyResult } from './latency-job.js';
import { filterOf, sessionId, topicOf } from './offline-queues.js';
import { openClients } from './open-clients.js';
import { Pace } from './pace.js';
import { PacedPublisher } from './paced-publisher.js';
import { percentileOf } from './percentiles.js';
import { Samples } from './samples.js';
import { UsageWindow } from './usage-window.js';

const POLL_MS = 10;
/** How long is waited for the last PUBACK, and before the disk is measured while the broker is idle. */
const QUIET_MS = 1000;
const LAST_ANSWER_MS = 10_000;
const QUEUES = { sessions: 1, each: 'everything' } as const;

export async function runLatency(job: LatencyJob): Promise<LatencyResult> {
  await storeSession(job);
  const clients = await openClients(job.publishers, job.address, job.protocol, (n) => `bench-publisher-${n}`);
  const lost = new Promise<never>((_, reject) => {
    for (const client of clients) client.onLost = (reason) => reject(new BenchFailure(reason));
  });
  const result = await Promise.race([measure(job, clients), lost]);
  for (const client of clients) client.close();
  return result;
}

async function storeSession({ address, protocol, publishers }: LatencyJob): Promise<void> {
  const [client] = await openClients(1, address, protocol, sessionId, { persistent: true });
  await client?.subscribe([filterOf({ ...QUEUES, publishers }, 0)], 1);
  await client?.leave();
}

async function measure(job: LatencyJob, clients: readonly Client[]): Promise<LatencyResult> {
  await delay(QUIET_MS);
  const fsyncBeforeMs = fsyncMs(job.fsyncDirectory);
  const latencies = new Samples(Math.ceil((job.messagesPerSecond * job.measuredMs) / 1000) + 1);
  const lateness = new Samples(latencies.capacity);
  const measuredFromMs = performance.now() + job.warmUpMs;
  const publishers = clients.map((client, publisher) => {
    const { protocol, payloadBytes } = job;
    const template = { protocol, qos: 1, topic: topicOf(publisher), payloadBytes, publisher } as const;
    return new PacedPublisher(client, template, (dueAtMs, latencyMs) => {
      if (dueAtMs >= measuredFromMs) latencies.add(latencyMs);
    });
  });

  const pace = new Pace(job.messagesPerSecond, publishers, lateness);
  await pace.until(measuredFromMs);
  const window = UsageWindow.begin(job.brokerPid);
  const answeredBefore = pace.sent - unacknowledgedOf(publishers);
  await pace.until(measuredFromMs + job.measuredMs);
  const usage = window.end();
  const answered = pace.sent - unacknowledgedOf(publishers) - answeredBefore;
  await untilAnswered(publishers);

  await delay(QUIET_MS);
  const sorted = latencies.sorted();
  return {
    kind: 'latency',
    ...usage,
    acknowledged: answered,
    p50Ms: percentileOf(sorted, 50),
    p99Ms: percentileOf(sorted, 99),
    p999Ms: percentileOf(sorted, 99.9),
    longestMs: percentileOf(sorted, 100),
    lateP99Ms: percentileOf(lateness.sorted(), 99),
    notSent: pace.refused,
    unfinished: unacknowledgedOf(publishers),
    fsyncBeforeMs,
    fsyncAfterMs: fsyncMs(job.fsyncDirectory),
  };
}

async function untilAnswered(publishers: readonly PacedPublisher[]): Promise<void> {
  const deadlineMs = performance.now() + LAST_ANSWER_MS;
  while (performance.now() < deadlineMs && unacknowledgedOf(publishers) > 0) await delay(POLL_MS);
}

function unacknowledgedOf(publishers: readonly PacedPublisher[]): number {
  return publishers.reduce((sum, publisher) => sum + publisher.unacknowledged, 0);
}
