/**
 * Publishers fill a work queue as fast as the broker acknowledges, workers empty it at the same time. A publisher has a window of
 * messages that are not acknowledged, or not with a worker: the queue stays short, and what is measured is the whole way.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { BenchFailure } from '../bench-failure.js';
import type { Client } from './client.js';
import { openClients } from './open-clients.js';
import { Publisher } from './publisher.js';
import { readQueueFigures } from './queue-figures.js';
import { UsageWindow } from './usage-window.js';
import type { WorkJob, WorkLoad, WorkResult } from './work-job.js';
import { WorkLedger } from './work-ledger.js';
import { topicOfGroup, WORK_FILTER } from './work-queue.js';
import { Worker } from './worker.js';

const POLL_MS = 20;
/** After this long without a delivery or an acknowledgement, what has not come is lost. */
const QUIET_MS = 3000;

/** Who empties the queue: MQTT clients, or a webhook. */
export interface WorkTaker {
  /** Messages that it was given, and has acknowledged. */
  readonly taken: number;
}

export interface Work {
  readonly publishers: readonly Publisher[];
  readonly workers: readonly WorkTaker[];
  readonly ledger: WorkLedger;
}

export async function runWork(job: WorkJob): Promise<WorkResult> {
  const { address, protocol, workerProtocol } = job;
  const publisherClients = await openClients(job.publishers, address, protocol, (n) => `bench-publisher-${n}`);
  const workerClients = await openClients(job.workers, address, workerProtocol, (n) => `bench-worker-${n}`);
  const clients = [...publisherClients, ...workerClients];
  const lost = new Promise<never>((_, reject) => {
    for (const client of clients) client.onLost = (reason) => reject(new BenchFailure(reason));
  });
  const publishers = publisherClients.map((client, publisher) => publisherOf(job, client, publisher));
  const ledger = new WorkLedger(publishers, job.groups);
  await Promise.all(workerClients.map((client) => client.subscribe([WORK_FILTER], 1)));
  const workers = workerClients.map((client) => new Worker(client, workerProtocol, ledger, 0));
  const usage = await Promise.race([measureWork(job, { publishers, workers, ledger }), lost]);
  const figures = await readQueueFigures(address);
  for (const client of clients) client.close();
  const { duplicated, reordered } = ledger;
  return { kind: 'work', ...usage, ...figures, lost: ledger.lost, duplicated, reordered };
}

export function publisherOf(job: WorkLoad, client: Client, publisher: number): Publisher {
  const { protocol, payloadBytes, windowMessages, batchMessages } = job;
  const count = Math.max(1, Math.floor(job.groups / job.publishers));
  const groups = { first: publisher * count, count };
  const template = { protocol, qos: 1, topic: topicOfGroup(0), payloadBytes, publisher, groups } as const;
  return new Publisher(client, template, { receivers: 1, windowMessages, batchMessages });
}

/** From the first message to the last; what is counted belongs to the measured window. */
export async function measureWork(job: WorkLoad, work: Work): Promise<Omit<WorkResult, keyof WorkLedger | 'kind'>> {
  for (const publisher of work.publishers) publisher.start();
  await delay(job.warmUpMs);
  const window = UsageWindow.begin(job.brokerPid);
  const before = { acknowledged: acknowledgedIn(work), worked: workedIn(work) };
  await delay(job.measuredMs);
  const usage = window.end();
  const acknowledged = acknowledgedIn(work) - before.acknowledged;
  const worked = workedIn(work) - before.worked;
  for (const publisher of work.publishers) publisher.stop();
  await untilQuiet(work);
  return { ...usage, acknowledged, worked, left: undefined, missing: undefined };
}

async function untilQuiet(work: Work): Promise<void> {
  let progress = -1;
  let lastProgressMs = performance.now();
  while (work.ledger.lost > 0 || work.publishers.some(({ unacknowledged }) => unacknowledged > 0)) {
    const current = acknowledgedIn(work) + work.ledger.delivered;
    if (current !== progress) {
      progress = current;
      lastProgressMs = performance.now();
    } else if (performance.now() - lastProgressMs > QUIET_MS) return;
    await delay(POLL_MS);
  }
}

function acknowledgedIn({ publishers }: Work): number {
  return publishers.reduce((sum, publisher) => sum + publisher.sent - publisher.unacknowledged, 0);
}

/** Workers acknowledge what they get in the same chunk. */
function workedIn({ workers }: Work): number {
  return workers.reduce((sum, worker) => sum + worker.taken, 0);
}
