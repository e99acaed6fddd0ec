/**
 * Persistent sessions come back, all at once, and take and acknowledge what has waited for them. Every message is
 * entered into the ledger; afterwards the sessions come back once more, when nothing may be left for them.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { BenchFailure } from '../bench-failure.js';
import { Client } from './client.js';
import { DeliveryLedger } from './delivery-ledger.js';
import type { DrainJob, DrainResult } from './drain-job.js';
import { receives, sessionId } from './offline-queues.js';
import { type Sender, Subscriber } from './subscriber.js';
import { UsageWindow } from './usage-window.js';

const POLL_MS = 2;
/** After this long without a delivery, what has not come is lost. */
const QUIET_MS = 5000;
/** How long the sessions that have everything are listened to for something more. */
const SECOND_VISIT_MS = 300;

export async function runDrain(job: DrainJob): Promise<DrainResult> {
  const ledger = new DeliveryLedger(job.drained * job.sent.length);
  const expected = expectedOf(job);
  const window = UsageWindow.begin(job.brokerPid);
  const clients = await comeBack(job, ledger);
  const lost = new Promise<never>((_, reject) => {
    for (const client of clients) client.onLost = (reason) => reject(new BenchFailure(reason));
  });
  const ended = await Promise.race([untilDrained(job, ledger, expected), lost]);
  const usage = window.end();
  const delivered = ledger.delivered;
  await Promise.all(clients.map((client) => client.leave()));
  if (ended === 'complete') await visitAgain(job, ledger);
  return {
    kind: 'drain',
    ...usage,
    delivered,
    absentSessions: clients.filter((client) => !client.sessionPresent).length,
    lost: ended === 'quiet' ? expected - delivered : 0,
    left: ended === 'out of time' ? expected - delivered : 0,
    duplicated: ledger.duplicated,
    reordered: ledger.reordered,
    foreign: ledger.foreign,
  };
}

/** Every client is its role from the CONNACK on: messages may stand in the same chunk. */
function comeBack(job: DrainJob, ledger: DeliveryLedger): Promise<Client[]> {
  const opening = Array.from({ length: job.drained }, (_, session) => {
    const heard = job.sent.map((sent, publisher): Sender | undefined =>
      receives(job.queues, session, publisher) ? { sent, onDelivered: () => {} } : undefined,
    );
    const onAccepted = (client: Client): void => {
      new Subscriber(client, job.protocol, heard, ledger, session * job.sent.length);
    };
    return Client.open(job.address, job.protocol, sessionId(session), { persistent: true, onAccepted });
  });
  return Promise.all(opening);
}

async function untilDrained(
  job: DrainJob,
  ledger: DeliveryLedger,
  expected: number,
): Promise<'complete' | 'quiet' | 'out of time'> {
  const deadlineMs = performance.now() + job.longestMs;
  let delivered = -1;
  let lastProgressMs = performance.now();
  while (ledger.delivered < expected) {
    const now = performance.now();
    if (ledger.delivered !== delivered) {
      delivered = ledger.delivered;
      lastProgressMs = now;
    }
    if (now - lastProgressMs > QUIET_MS) return 'quiet';
    if (now > deadlineMs) return 'out of time';
    await delay(POLL_MS);
  }
  return 'complete';
}

/** What comes now has come before, and the ledger counts it as duplicated. */
async function visitAgain(job: DrainJob, ledger: DeliveryLedger): Promise<void> {
  const clients = await comeBack(job, ledger);
  await delay(SECOND_VISIT_MS);
  await Promise.all(clients.map((client) => client.leave()));
}

function expectedOf(job: DrainJob): number {
  let expected = 0;
  for (let session = 0; session < job.drained; session++) {
    for (const [publisher, sent] of job.sent.entries()) {
      if (receives(job.queues, session, publisher)) expected += sent;
    }
  }
  return expected;
}
