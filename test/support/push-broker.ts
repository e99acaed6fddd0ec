/** A broker whose queues are pushed to webhooks, on a clock that the test turns. */
import { onTestFinished } from 'vitest';
import type { Resolver } from '../../src/bridge/push/host-lookup.js';
import type { PushTarget } from '../../src/bridge/push/push-target.js';
import type { PushStatistics } from '../../src/bridge/push/pushes.js';
import { until } from './http-world.js';
import { QueueBroker, type QueueBrokerOptions } from './queue-broker.js';

export interface PushBrokerOptions extends QueueBrokerOptions {
  /** By queue; a target alone is that of `q`. */
  readonly targets: PushTarget | Readonly<Record<string, PushTarget>>;
  /** Default: loopback. */
  readonly allow?: readonly string[];
  /** Default: the system's. */
  readonly resolver?: Resolver;
  /** Default: that of the clock. */
  readonly timeOfDayMs?: () => number;
}

export class PushBroker {
  readonly queues: QueueBroker;

  private constructor(queues: QueueBroker) {
    this.queues = queues;
  }

  /** It pushes from the start. */
  static async start({
    targets,
    allow = ['127.0.0.0/8'],
    resolver,
    timeOfDayMs,
    ...options
  }: PushBrokerOptions): Promise<PushBroker> {
    const byQueue = 'url' in targets ? { q: targets as PushTarget } : targets;
    const targetsByQueue = new Map(Object.entries(byQueue));
    const pushes = {
      allow,
      targets: targetsByQueue,
      ...(resolver === undefined ? {} : { resolver }),
      ...(timeOfDayMs === undefined ? {} : { timeOfDayMs }),
    };
    const broker = new PushBroker(await QueueBroker.start({ ...options, pushes }));
    const { pushes: running } = broker.queues.workQueues;
    running.start();
    // Before the broker stops: what was in flight goes back.
    onTestFinished(() => running.stop(0));
    return broker;
  }

  get clock() {
    return this.queues.clock;
  }

  push(queue = 'q'): PushStatistics {
    const statistics = this.queues.workQueues.pushes.statisticsOf(queue);
    if (statistics === null) throw new Error(`${queue} is not pushed`);
    return statistics;
  }

  /** Messages of the queue, whatever their state. */
  left(queue = 'q'): number {
    const { ready, inFlight, delayed } = this.queues.statistics(queue);
    return ready + inFlight + delayed;
  }

  /** Messages whose attempt was in vain, and that wait for the next one. */
  async returned(count: number, queue = 'q'): Promise<void> {
    await until(() => this.queues.statistics(queue).delayed === count);
  }

  async emptied(queue = 'q'): Promise<void> {
    await until(() => this.left(queue) === 0);
  }
}
