/**
 * How long a message is on its way to a worker: an open loop of messages in turn over many groups, each counted from the moment it was
 * due. What else is in the queue, and goes to the same workers, is the background.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { BenchFailure } from '../bench-failure.js';
import type { Client } from './client.js';
import { openClients } from './open-clients.js';
import { type OpenLoopSender, Pace } from './pace.js';
import { PacedPublisher } from './paced-publisher.js';
import { percentileOf } from './percentiles.js';
import { readQueueFigures } from './queue-figures.js';
import { Samples } from './samples.js';
import { UsageWindow } from './usage-window.js';
import type { WorkLatencyJob, WorkLatencyResult } from './work-latency-job.js';
import { WorkLedger, type WorkSender } from './work-ledger.js';
import { topicOfGroup, WORK_FILTER } from './work-queue.js';
import { Worker } from './worker.js';

const POLL_MS = 10;
const QUIET_MS = 3000;
/** Messages of a publisher that may be on the way; a power of two. */
const PLACES = 65_536;

export async function runWorkLatency(job: WorkLatencyJob): Promise<WorkLatencyResult> {
  const { address, protocol } = job;
  const publisherClients = await openClients(job.publishers, address, protocol, (n) => `bench-publisher-${n}`);
  const workerClients = await openClients(job.workers, address, 5, (n) => `bench-worker-${n}`);
  const clients = [...publisherClients, ...workerClients];
  const lost = new Promise<never>((_, reject) => {
    for (const client of clients) client.onLost = (reason) => reject(new BenchFailure(reason));
  });
  const latencies = new Samples(Math.ceil((job.messagesPerSecond * job.measuredMs) / 1000) + 1);
  const lateness = new Samples(latencies.capacity);
  const fromMs = performance.now() + job.warmUpMs;
  const senders = publisherClients.map(
    (client, publisher) => new TimedSender(job, client, publisher, latencies, fromMs),
  );
  const ledger = new WorkLedger(senders, job.groups);
  await Promise.all(
    workerClients.map((client) =>
      client.subscribe([WORK_FILTER], 1, () => {
        new Worker(client, 5, ledger, job.workMs);
      }),
    ),
  );

  const pace = new Pace(job.messagesPerSecond, senders, lateness);
  const measured = (async () => {
    await pace.until(fromMs);
    const window = UsageWindow.begin(job.brokerPid);
    await pace.until(fromMs + job.measuredMs);
    const usage = window.end();
    await untilDelivered(ledger);
    return usage;
  })();
  const usage = await Promise.race([measured, lost]);
  const figures = ledger.background === 0 ? await readQueueFigures(address) : { left: undefined, missing: undefined };
  for (const client of clients) client.close();
  const sorted = latencies.sorted();
  return {
    kind: 'work-latency',
    ...usage,
    ...figures,
    p50Ms: percentileOf(sorted, 50),
    p99Ms: percentileOf(sorted, 99),
    lateP99Ms: percentileOf(lateness.sorted(), 99),
    delivered: ledger.delivered,
    background: ledger.background,
    lost: ledger.lost,
    duplicated: ledger.duplicated,
    reordered: ledger.reordered,
  };
}

/** Sends what is due, and notes how long it took until a worker had it. */
class TimedSender implements OpenLoopSender, WorkSender {
  readonly #publisher: PacedPublisher;
  readonly #latencies: Samples;
  readonly #fromMs: number;
  readonly #dueAtMs = new Float64Array(PLACES);
  #sent = 0;

  constructor(job: WorkLatencyJob, client: Client, publisher: number, latencies: Samples, fromMs: number) {
    const { protocol, payloadBytes } = job;
    const count = Math.floor(job.groups / job.publishers);
    const groups = { first: publisher * count, count };
    const template = { protocol, qos: 1, topic: topicOfGroup(0), payloadBytes, publisher, groups } as const;
    this.#publisher = new PacedPublisher(client, template, () => {});
    this.#latencies = latencies;
    this.#fromMs = fromMs;
  }

  get sent(): number {
    return this.#sent;
  }

  offerMessage(dueAtMs: number): boolean {
    this.#dueAtMs[this.#sent % PLACES] = dueAtMs;
    if (!this.#publisher.offerMessage(dueAtMs)) return false;
    this.#sent++;
    return true;
  }

  onDelivered(sequence: number): void {
    const dueAtMs = this.#dueAtMs[sequence % PLACES] as number;
    if (dueAtMs >= this.#fromMs) this.#latencies.add(performance.now() - dueAtMs);
  }
}

async function untilDelivered(ledger: WorkLedger): Promise<void> {
  const deadlineMs = performance.now() + QUIET_MS;
  while (performance.now() < deadlineMs && ledger.lost > 0) await delay(POLL_MS);
}
