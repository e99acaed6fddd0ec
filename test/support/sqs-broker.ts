/** A broker with the endpoint for clients of SQS, on a clock that the test turns, and the real SDK as its client. */
import { randomUUID } from 'node:crypto';
import { SQSClient } from '@aws-sdk/client-sqs';
import { onTestFinished } from 'vitest';
import { OpenAuthenticator } from '../../src/bridge/sqs/authenticator.js';
import { type AccessKey, SignatureV4 } from '../../src/bridge/sqs/signature-v4.js';
import { SqsEndpoint, type SqsEndpointOptions } from '../../src/bridge/sqs/sqs-endpoint.js';
import { SqsService, type SqsServiceOptions } from '../../src/bridge/sqs/sqs-service.js';
import type { Queue } from '../../src/queues/queue.js';
import type { ManualClock } from './manual-clock.js';
import { QueueBroker, type QueueBrokerOptions } from './queue-broker.js';

export interface SqsBrokerOptions {
  readonly broker?: QueueBrokerOptions;
  readonly endpoint?: Partial<SqsEndpointOptions>;
  readonly service?: Partial<SqsServiceOptions>;
  /** Requests must be signed with one of them. */
  readonly keys?: readonly AccessKey[];
}

/** An answer as it came. */
export interface SqsAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export class SqsBroker {
  readonly queues: QueueBroker;
  readonly endpoint: SqsEndpoint;
  readonly client: SQSClient;
  /** Errors that were no errors of the protocol. */
  readonly failures: unknown[];

  private constructor(queues: QueueBroker, endpoint: SqsEndpoint, failures: unknown[]) {
    this.queues = queues;
    this.endpoint = endpoint;
    this.failures = failures;
    this.client = this.newClient('AKTEST', 'secret-of-the-test');
  }

  static async start(options: SqsBrokerOptions = {}): Promise<SqsBroker> {
    const queues = await QueueBroker.start({ queues: {}, ...options.broker });
    const { clock } = queues;
    const service = new SqsService(queues.workQueues.registry, clock, {
      region: 'us-east-1',
      account: '000000000000',
      maxWaitingReceives: 1000,
      maxQueues: 1000,
      isAccepting: () => true,
      ...options.service,
    });
    const failures: unknown[] = [];
    const endpoint = await SqsEndpoint.open(service, {
      host: '127.0.0.1',
      port: 0,
      maxConnections: 1000,
      maxBodyBytes: 4 * 2 ** 20,
      maxBufferedBytes: 64 * 2 ** 20,
      maxUnsentBytes: 64 * 2 ** 20,
      requestTimeoutMs: 30_000,
      stallTimeoutMs: 60_000,
      authenticator:
        options.keys === undefined
          ? new OpenAuthenticator((host) => host === '127.0.0.1')
          : new SignatureV4(options.keys, () => clock.now()),
      newRequestId: randomUUID,
      onFailure: (error) => failures.push(error),
      ...options.endpoint,
    });
    const broker = new SqsBroker(queues, endpoint, failures);
    onTestFinished(async () => {
      broker.client.destroy();
      const isClosed = endpoint.stop();
      endpoint.closeAll();
      await isClosed;
    });
    return broker;
  }

  get clock(): ManualClock {
    return this.queues.clock;
  }

  get url(): string {
    return `http://127.0.0.1:${this.endpoint.port}`;
  }

  queueUrl(name: string): string {
    return `${this.url}/000000000000/${name}`;
  }

  queue(name: string): Queue {
    const queue = this.queues.workQueues.registry.find(name);
    if (queue === undefined) throw new Error(`there is no queue ${name}`);
    return queue;
  }

  newClient(accessKeyId: string, secretAccessKey: string, others: object = {}): SQSClient {
    return new SQSClient({
      endpoint: this.url,
      region: 'us-east-1',
      credentials: { accessKeyId, secretAccessKey },
      maxAttempts: 1,
      ...others,
    });
  }

  /** What the JSON protocol says, unsigned. @param input a text is sent as it is */
  async call(action: string, input: object | string, init: RequestInit = {}): Promise<SqsAnswer> {
    const response = await fetch(this.url, {
      method: 'POST',
      body: typeof input === 'string' ? input : JSON.stringify(input),
      ...init,
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `AmazonSQS.${action}`,
        ...init.headers,
      },
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  /** Resolves when so many receives wait. */
  async waiting(queue: string, receives: number): Promise<void> {
    while (this.queue(queue).statistics.waitingReceives !== receives) await turn();
  }
}

/** Lets input and output happen. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
