/**
 * Many subscriptions that the load has nothing to do with, a third each exact, with + and with #, in the same part of the topic tree; and
 * then the load, while they are there. All in one process, since the subscriptions end with their connections.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { BenchFailure } from '../bench-failure.js';
import { findResidentBytes } from '../process-usage.js';
import type { Client } from './client.js';
import { runLoad } from './load-run.js';
import { openClients } from './open-clients.js';
import type { SubscribeJob, SubscribeResult } from './subscribe-job.js';
import { UsageWindow } from './usage-window.js';

/** Below what brokers allow to one session. */
const MOST_OF_A_CLIENT = 10_000;
const FILTERS_IN_A_PACKET = 200;

export async function runSubscribe(job: SubscribeJob): Promise<SubscribeResult> {
  const { address, protocol, subscriptions, settleMs, brokerPid } = job;
  const holders = Math.ceil(subscriptions / MOST_OF_A_CLIENT);
  const clients = await openClients(holders, address, protocol, (n) => `bench-holder-${n}`);
  await delay(settleMs);
  const before = brokerPid === undefined ? undefined : findResidentBytes(brokerPid);
  const window = UsageWindow.begin(brokerPid);
  const deadline = new Promise<never>((_, reject) => {
    const fail = (): void => reject(new BenchFailure(`${subscriptions} subscriptions were not made in time`));
    setTimeout(fail, job.longestMs).unref();
  });
  const subscribing = clients.map((client, holder) => {
    const first = holder * MOST_OF_A_CLIENT;
    return subscribeAll(client, first, Math.min(subscriptions, first + MOST_OF_A_CLIENT));
  });
  await Promise.race([Promise.all(subscribing), deadline]);
  const usage = window.end();
  await delay(settleMs);
  const after = brokerPid === undefined ? undefined : findResidentBytes(brokerPid);
  const target = { address, protocol, ...(brokerPid !== undefined && { brokerPid }) };
  const load = await runLoad({ ...job.load, ...target });
  for (const client of clients) client.close();
  return {
    kind: 'subscribe',
    ...usage,
    subscriptions,
    ...(before !== undefined && { residentBytesBefore: before }),
    ...(after !== undefined && { residentBytesAfter: after }),
    load,
  };
}

async function subscribeAll(client: Client, first: number, end: number): Promise<void> {
  for (let at = first; at < end; at += FILTERS_IN_A_PACKET) {
    const filters = Array.from({ length: Math.min(FILTERS_IN_A_PACKET, end - at) }, (_, index) => filterOf(at + index));
    await client.subscribe(filters, 0);
  }
}

/** Beside the topics of the load, which have a number where these have a name. */
function filterOf(subscription: number): string {
  const device = `bench/device-${Math.floor(subscription / 3)}`;
  return [`${device}/data`, `${device}/+`, `${device}/#`][subscription % 3] as string;
}
