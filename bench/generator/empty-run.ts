/** Workers take and acknowledge what waits in the work queue, until nothing is left. */
import { setTimeout as delay } from 'node:timers/promises';
import { BenchFailure } from '../bench-failure.js';
import type { EmptyJob, EmptyResult } from './empty-job.js';
import { openClients } from './open-clients.js';
import { readQueueFigures } from './queue-figures.js';
import { UsageWindow } from './usage-window.js';
import { WorkLedger } from './work-ledger.js';
import { WORK_FILTER } from './work-queue.js';
import { Worker } from './worker.js';

const POLL_MS = 10;
/** After this long without a delivery, what has not come is lost. */
const QUIET_MS = 5000;

export async function runEmpty(job: EmptyJob): Promise<EmptyResult> {
  const clients = await openClients(job.workers, job.address, 5, (n) => `bench-worker-${n}`);
  const lost = new Promise<never>((_, reject) => {
    for (const client of clients) client.onLost = (reason) => reject(new BenchFailure(reason));
  });
  const senders = job.sent.map((sent) => ({ sent, onDelivered: () => {} }));
  const ledger = new WorkLedger(senders, senders.length);
  const window = UsageWindow.begin(job.brokerPid);
  for (const client of clients) {
    await client.subscribe([WORK_FILTER], 1, () => {
      new Worker(client, 5, ledger, 0);
    });
  }
  await Promise.race([untilEmpty(ledger, job.longestMs), lost]);
  const usage = window.end();
  const figures = await readQueueFigures(job.address);
  for (const client of clients) client.close();
  const { delivered, duplicated, reordered } = ledger;
  return { kind: 'empty', ...usage, ...figures, delivered, lost: ledger.lost, duplicated, reordered };
}

async function untilEmpty(ledger: WorkLedger, longestMs: number): Promise<void> {
  const deadlineMs = performance.now() + longestMs;
  let delivered = -1;
  let lastProgressMs = performance.now();
  while (ledger.lost > 0 && performance.now() < deadlineMs) {
    if (ledger.delivered !== delivered) {
      delivered = ledger.delivered;
      lastProgressMs = performance.now();
    } else if (performance.now() - lastProgressMs > QUIET_MS) return;
    await delay(POLL_MS);
  }
}
