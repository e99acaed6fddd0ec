/**
 * Fills the queues of persistent sessions that are away: the sessions subscribe and leave, then publishers send a given
 * number of QoS 1 messages, or what they can in a given time. Measured is from the end of the warm-up to the last PUBACK,
 * so that a broker which takes longer than the given time for one window is measured, too.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { BenchFailure } from '../bench-failure.js';
import type { Client } from './client.js';
import { filterOf, receives, sessionId, topicOf } from './offline-queues.js';
import { openClients } from './open-clients.js';
import type { PublishTemplate } from './publish-batch.js';
import { Publisher } from './publisher.js';
import type { QueueJob, QueueResult } from './queue-job.js';
import { UsageWindow } from './usage-window.js';
import { DEEP_GROUP, topicOfGroup } from './work-queue.js';

const POLL_MS = 2;
/** How long is waited for the last PUBACK, which must come: what is not acknowledged may be lost, and says nothing. */
const LAST_ANSWER_MS = 60_000;
/** The warm-up ends at the latest when this share has been acknowledged, so that a fast broker leaves some to measure. */
const WARM_UP_SHARE = 0.1;

export async function runQueue(job: QueueJob): Promise<QueueResult> {
  await storeSessions(job);
  const clients = await openClients(job.queues.publishers, job.address, job.protocol, (n) => `bench-publisher-${n}`);
  const lost = new Promise<never>((_, reject) => {
    for (const client of clients) client.onLost = (reason) => reject(new BenchFailure(reason));
  });
  const result = await Promise.race([publish(job, clients), lost]);
  for (const client of clients) client.close();
  return result;
}

async function storeSessions({ address, protocol, queues }: QueueJob): Promise<void> {
  const clients = await openClients(queues.sessions, address, protocol, sessionId, { persistent: true });
  await Promise.all(clients.map((client, session) => client.subscribe([filterOf(queues, session)], 1)));
  await Promise.all(clients.map((client) => client.leave()));
}

async function publish(job: QueueJob, clients: readonly Client[]): Promise<QueueResult> {
  const each = Math.ceil(job.totalMessages / clients.length);
  let unfinished = clients.length;
  let finish: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const publishers = clients.map((client, publisher) => {
    const template = { protocol: job.protocol, qos: 1, payloadBytes: job.payloadBytes } as const;
    const flow = { receivers: 0, windowMessages: job.windowMessages, batchMessages: job.batchMessages };
    const onFinished = (): void => {
      if (--unfinished === 0) finish();
    };
    return new Publisher(
      client,
      { ...template, ...topicFor(job, publisher), publisher },
      { ...flow, totalMessages: each, onFinished },
    );
  });

  for (const publisher of publishers) publisher.start();
  const warmUpEndsAtMs = performance.now() + job.warmUpMs;
  while (performance.now() < warmUpEndsAtMs && acknowledgedOf(publishers) < job.totalMessages * WARM_UP_SHARE) {
    await delay(POLL_MS);
  }
  const window = UsageWindow.begin(job.brokerPid);
  const acknowledgedBefore = acknowledgedOf(publishers);
  await Promise.race([finished, delay(job.longestMs, undefined, { ref: false })]);
  for (const publisher of publishers) publisher.stop();
  await untilAcknowledged(publishers);
  return {
    kind: 'queue',
    ...window.end(),
    acknowledged: acknowledgedOf(publishers) - acknowledgedBefore,
    sent: publishers.map((publisher) => publisher.sent),
    unfinished: publishers.reduce((sum, publisher) => sum + publisher.unacknowledged, 0),
    queued: queuedFor(job, publishers),
  };
}

function topicFor({ work }: QueueJob, publisher: number): Pick<PublishTemplate, 'topic' | 'groups'> {
  if (work === undefined) return { topic: topicOf(publisher) };
  const first = work === 'own groups' ? publisher : DEEP_GROUP;
  return { topic: topicOfGroup(first), groups: { first, count: 1 } };
}

async function untilAcknowledged(publishers: readonly Publisher[]): Promise<void> {
  const deadlineMs = performance.now() + LAST_ANSWER_MS;
  while (performance.now() < deadlineMs && publishers.some((publisher) => publisher.unacknowledged > 0)) {
    await delay(POLL_MS);
  }
}

function acknowledgedOf(publishers: readonly Publisher[]): number {
  return publishers.reduce((sum, publisher) => sum + publisher.sent - publisher.unacknowledged, 0);
}

/** Messages that wait now, over all sessions: one that waits for a thousand sessions counts a thousand times. */
function queuedFor({ queues }: QueueJob, publishers: readonly Publisher[]): number {
  let queued = 0;
  for (let session = 0; session < queues.sessions; session++) {
    for (const [number, publisher] of publishers.entries()) {
      if (receives(queues, session, number)) queued += publisher.sent;
    }
  }
  return queued;
}
