/**
 * One run of a load scenario: connect, warm up, measure between two snapshots, stop publishing, wait until everything
 * has arrived, account. The two snapshots read counters and CPU times together, so a late timer moves the window but
 * cannot falsify it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { BenchFailure } from '../bench-failure.js';
import { type LoadScenario, loadScenarioByName, receiversOf } from '../load-scenarios.js';
import { findCpuMs, findPeakResidentBytes } from '../process-usage.js';
import type { Client } from './client.js';
import type { DeliveryAccount } from './delivery-account.js';
import { DeliveryLedger } from './delivery-ledger.js';
import { GarbageWindow } from './garbage-window.js';
import type { LoadJob, LoadResult } from './load-job.js';
import { openClients } from './open-clients.js';
import { Publisher } from './publisher.js';
import { SharedLedger } from './shared-ledger.js';
import { Subscriber } from './subscriber.js';

/** After this long without a single delivery or acknowledgement, what has not come is lost. */
const QUIET_MS = 3000;
const POLL_MS = 50;

interface Load {
  readonly clients: readonly Client[];
  readonly publishers: readonly Publisher[];
  readonly subscribers: readonly Subscriber[];
  readonly ledger: DeliveryAccount;
  /** Messages that have been sent and have not come. */
  readonly missing: () => number;
}

interface Snapshot {
  readonly atMs: number;
  readonly published: number;
  readonly delivered: number;
  readonly acknowledged: number;
  readonly brokerCpuMs: number | undefined;
  readonly generatorCpuMs: number;
}

export async function runLoad(job: LoadJob): Promise<LoadResult> {
  const scenario = loadScenarioByName(job.scenario);
  const load = await connectLoad(job, scenario);
  const lost = new Promise<never>((_, reject) => {
    for (const client of load.clients) client.onLost = (reason) => reject(new BenchFailure(reason));
  });
  const result = await Promise.race([measure(job, load), lost]);
  for (const client of load.clients) client.close();
  if (scenario.persistent) await discardSessions(job, scenario);
  return result;
}

async function connectLoad(job: LoadJob, scenario: LoadScenario): Promise<Load> {
  const { address, protocol, qos } = job;
  const publisherClients = await openClients(scenario.publishers, address, protocol, (n) => `bench-publisher-${n}`);
  const session = { persistent: scenario.persistent };
  const subscriberClients = await openClients(scenario.subscribers, address, protocol, subscriberId, session);
  await Promise.all(subscriberClients.map((client, number) => client.subscribe([scenario.filterOf(number)], qos)));

  const publishers = publisherClients.map((client, number) => {
    const { payloadBytes, userProperties } = job;
    const template = { protocol, qos, topic: scenario.topicOf(number), payloadBytes, userProperties };
    return new Publisher(
      client,
      { ...template, publisher: number, groups: scenario.groupsOf?.(number) },
      {
        receivers: receiversOf(scenario, number),
        windowMessages: job.windowMessages,
        batchMessages: job.batchMessages,
      },
    );
  });
  const { ledger, missing } = accountFor(scenario, publishers);
  const subscribers = subscriberClients.map((client, number) => {
    const heard = publishers.map((publisher, p) => (scenario.receives(number, p) ? publisher : undefined));
    return new Subscriber(client, protocol, heard, ledger, number * scenario.publishers);
  });
  return { clients: [...publisherClients, ...subscriberClients], publishers, subscribers, ledger, missing };
}

function accountFor(scenario: LoadScenario, publishers: readonly Publisher[]): Pick<Load, 'ledger' | 'missing'> {
  if (scenario.delivery === 'one of all') {
    const ledger = new SharedLedger(scenario.subscribers, scenario.publishers);
    return { ledger, missing: () => ledger.missing(publishers.map((publisher) => publisher.sent)) };
  }
  const ledger = new DeliveryLedger(scenario.subscribers * scenario.publishers);
  return { ledger, missing: () => missingIn(scenario, publishers, ledger) };
}

function subscriberId(number: number): string {
  return `bench-subscriber-${number}`;
}

/** A clean start and a leave: the broker forgets the session, and whatever runs next does not feed it. */
async function discardSessions({ address, protocol }: LoadJob, scenario: LoadScenario): Promise<void> {
  const clients = await openClients(scenario.subscribers, address, protocol, subscriberId);
  await Promise.all(clients.map((client) => client.leave()));
}

async function measure(job: LoadJob, load: Load): Promise<LoadResult> {
  const { brokerPid, probeFile } = job;
  const isProbed = brokerPid !== undefined && probeFile !== undefined;
  const garbage = isProbed ? new GarbageWindow(brokerPid, probeFile) : undefined;
  for (const publisher of load.publishers) publisher.start();
  await delay(job.warmUpMs);
  const begin = snapshot(job, load);
  garbage?.begin();
  await delay(job.measuredMs);
  const end = snapshot(job, load);
  garbage?.end();
  for (const publisher of load.publishers) publisher.stop();
  await untilQuiet(load);

  const peakResidentBytes = job.brokerPid === undefined ? undefined : findPeakResidentBytes(job.brokerPid);
  return {
    kind: 'load',
    seconds: (end.atMs - begin.atMs) / 1000,
    published: end.published - begin.published,
    delivered: end.delivered - begin.delivered,
    acknowledged: job.qos === 0 ? 0 : end.acknowledged - begin.acknowledged,
    ...(begin.brokerCpuMs !== undefined &&
      end.brokerCpuMs !== undefined && { brokerCpuMs: end.brokerCpuMs - begin.brokerCpuMs }),
    generatorCpuMs: end.generatorCpuMs - begin.generatorCpuMs,
    ...(peakResidentBytes !== undefined && { peakResidentBytes }),
    totalPublished: publishedBy(load),
    totalDelivered: load.ledger.delivered,
    lost: load.missing(),
    duplicated: load.ledger.duplicated,
    reordered: load.ledger.reordered,
    foreign: load.ledger.foreign,
    unfinished: unfinishedIn(load),
    ...(garbage !== undefined && { garbage: await garbage.read() }),
  };
}

function snapshot(job: LoadJob, load: Load): Snapshot {
  const { user, system } = process.cpuUsage();
  return {
    atMs: performance.now(),
    published: publishedBy(load),
    delivered: load.ledger.delivered,
    acknowledged: acknowledgedBy(load),
    brokerCpuMs: job.brokerPid === undefined ? undefined : findCpuMs(job.brokerPid),
    generatorCpuMs: (user + system) / 1000,
  };
}

async function untilQuiet(load: Load): Promise<void> {
  let progress = -1;
  let lastProgressMs = performance.now();
  while (load.missing() > 0 || unfinishedIn(load) > 0) {
    const now = performance.now();
    const current = load.ledger.delivered - unfinishedIn(load);
    if (current !== progress) {
      progress = current;
      lastProgressMs = now;
    } else if (now - lastProgressMs > QUIET_MS) {
      return;
    }
    await delay(POLL_MS);
  }
}

function missingIn(scenario: LoadScenario, publishers: readonly Publisher[], ledger: DeliveryLedger): number {
  let missing = 0;
  for (let subscriber = 0; subscriber < scenario.subscribers; subscriber++) {
    for (const [number, publisher] of publishers.entries()) {
      if (!scenario.receives(subscriber, number)) continue;
      missing += ledger.missing(subscriber * scenario.publishers + number, publisher.sent);
    }
  }
  return missing;
}

function publishedBy(load: Load): number {
  return load.publishers.reduce((sum, publisher) => sum + publisher.sent, 0);
}

function acknowledgedBy(load: Load): number {
  return load.publishers.reduce((sum, publisher) => sum + publisher.sent - publisher.unacknowledged, 0);
}

/** Exchanges that somebody has begun and the broker has not finished. */
function unfinishedIn(load: Load): number {
  const byPublishers = load.publishers.reduce((sum, publisher) => sum + publisher.unacknowledged, 0);
  return load.subscribers.reduce((sum, subscriber) => sum + subscriber.unreleased, byPublishers);
}
