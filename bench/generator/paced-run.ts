/**
 * A fleet as it is most of the time: many devices, each of which sends now and then, evenly spread, to one subscriber. Measured are the way
 * of each message, from the moment it was due to its arrival, and what the broker uses meanwhile.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { BenchFailure } from '../bench-failure.js';
import type { Client } from './client.js';
import { Device } from './device.js';
import { openClients } from './open-clients.js';
import { Pace } from './pace.js';
import type { PacedJob, PacedResult } from './paced-job.js';
import { percentileOf } from './percentiles.js';
import { Samples } from './samples.js';
import { Subscriber } from './subscriber.js';
import { TimedLedger } from './timed-ledger.js';
import { UsageWindow } from './usage-window.js';

const POLL_MS = 20;
const QUIET_MS = 3000;

export async function runPaced(job: PacedJob): Promise<PacedResult> {
  const { address, protocol, qos } = job;
  const clients = await openClients(job.publishers, address, protocol, (n) => `bench-device-${n}`);
  const [subscriber] = await openClients(1, address, protocol, () => 'bench-subscriber');
  if (subscriber === undefined) throw new BenchFailure('no subscriber');
  await subscriber.subscribe(['bench/#'], qos);
  const lost = new Promise<never>((_, reject) => {
    for (const client of [...clients, subscriber]) client.onLost = (reason) => reject(new BenchFailure(reason));
  });
  const result = await Promise.race([measure(job, clients, subscriber), lost]);
  for (const client of [...clients, subscriber]) client.close();
  return result;
}

async function measure(job: PacedJob, clients: readonly Client[], subscriber: Client): Promise<PacedResult> {
  const { protocol, qos, payloadBytes, userProperties, messagesPerSecond } = job;
  const devices = clients.map((client, publisher) => {
    const topic = `bench/${publisher}/data`;
    return new Device(client, { protocol, qos, payloadBytes, userProperties, topic, publisher });
  });
  const latencies = new Samples(Math.ceil((messagesPerSecond * job.measuredMs) / 1000) + 1);
  const lateness = new Samples(latencies.capacity);
  const pace = new Pace(messagesPerSecond, devices, lateness);
  const fromMs = performance.now() + job.warmUpMs;
  const ledger = new TimedLedger(devices.length, latencies, fromMs, (number) => pace.dueAtMs(number));
  new Subscriber(subscriber, protocol, devices, ledger, 0);

  await pace.until(fromMs);
  const window = UsageWindow.begin(job.brokerPid);
  const deliveredBefore = ledger.delivered;
  await pace.until(fromMs + job.measuredMs);
  const usage = window.end();
  const delivered = ledger.delivered - deliveredBefore;
  const missing = (): number =>
    devices.reduce((sum, device, publisher) => sum + ledger.missing(publisher, device.sent), 0);
  const unfinished = (): number => devices.reduce((sum, device) => sum + device.unacknowledged, 0);
  const deadlineMs = performance.now() + QUIET_MS;
  while (performance.now() < deadlineMs && missing() + unfinished() > 0) await delay(POLL_MS);

  const sorted = latencies.sorted();
  const { duplicated, reordered, foreign } = ledger;
  return {
    kind: 'paced',
    ...usage,
    delivered,
    p50Ms: percentileOf(sorted, 50),
    p99Ms: percentileOf(sorted, 99),
    p999Ms: percentileOf(sorted, 99.9),
    longestMs: percentileOf(sorted, 100),
    lateP99Ms: percentileOf(lateness.sorted(), 99),
    lost: missing(),
    duplicated,
    reordered,
    foreign,
    unfinished: unfinished(),
  };
}
