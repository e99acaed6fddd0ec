/** What all requests to the endpoint share. */
import type { Clock } from '../../core/clock.js';
import type { QueueRegistry } from '../../queues/queue-registry.js';
import { ReceiveAttempts } from './receive-attempts.js';
import { SqsCounters } from './sqs-counters.js';

export interface SqsServiceOptions {
  /** Appears in ARNs. */
  readonly region: string;
  /** Twelve digits: appears in URLs and ARNs. */
  readonly account: string;
  /** Receives that may wait at one time. */
  readonly maxWaitingReceives: number;
  /** With as many queues, however they were made, no other one is made. */
  readonly maxQueues: number;
  /** Whether what is sent can be stored. */
  readonly isAccepting: () => boolean;
}

export class SqsService {
  readonly registry: QueueRegistry;
  readonly clock: Clock;
  readonly options: SqsServiceOptions;
  readonly startedAtMs: number;
  readonly counters = new SqsCounters();
  readonly attempts = new ReceiveAttempts();

  constructor(registry: QueueRegistry, clock: Clock, options: SqsServiceOptions) {
    this.registry = registry;
    this.clock = clock;
    this.options = options;
    this.startedAtMs = clock.now();
  }

  readonly arnOf = (queue: string): string => `arn:aws:sqs:${this.options.region}:${this.options.account}:${queue}`;
}
