/** Starts a broker in a process of its own and asks it for its figures. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BridgeRule } from '../../../src/bridge/bridge-rule.js';
import type { AccessKey } from '../../../src/bridge/sqs/signature-v4.js';
import type { SqsEndpointOptions } from '../../../src/bridge/sqs/sqs-endpoint.js';
import type { BrokerLimits } from '../../../src/broker/broker-options.js';
import type { DefenceOptions } from '../../../src/broker/defence/defence-options.js';
import type { CloseReason } from '../../../src/core/close-reason.js';
import type { DropReason } from '../../../src/core/drop-reason.js';
import type { QueueOptions } from '../../../src/queues/queue-options.js';
import type { QueueStatistics } from '../../../src/queues/queue-statistics.js';
import type { ConnectionRefusal } from '../../../src/transport/connection-refusal.js';
import type { ListenerOptions } from '../../../src/transport/listener.js';

export interface BrokerReport {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly arrayBuffers: number;
  readonly cpuMs: number;
  /** Longest time that the event loop was held, since the last reset. */
  readonly delayMaximumMs: number;
  readonly connections: number;
  readonly sessions: number;
  readonly subscriptions: number;
  readonly retained: number;
  readonly closes: Record<CloseReason, number>;
  readonly drops: Record<DropReason, number>;
  readonly publishersHeld: number;
  readonly socketsOpen: number;
  readonly errors: number;
  readonly lastErrors: string[];
  /** Lines of the log, the first hundred, without those of the audit. */
  readonly warnings: string[];
  /** Of the listener for TCP. */
  readonly refusals: Record<ConnectionRefusal, number>;
  readonly queues: Record<string, QueueStatistics & { readonly missing: number }>;
  /** What the SQS endpoint tells of itself, if there is one. */
  readonly sqs: Record<string, number>;
}

export interface BrokerProcessOptions {
  readonly limits?: Partial<BrokerLimits>;
  readonly defence?: Partial<DefenceOptions>;
  /** Of both listeners. */
  readonly listener?: Partial<ListenerOptions>;
  readonly heapMb?: number;
  /** Stored in `directory`; options that are left out are those of every queue. */
  readonly workQueues?: {
    readonly queues: Readonly<Record<string, Partial<QueueOptions>>>;
    readonly rules: readonly BridgeRule[];
  };
  readonly directory?: string;
  /** Opens the endpoint for clients of SQS; what is left out is as it is by default. Needs `workQueues`. */
  readonly sqs?: Partial<SqsEndpointOptions> & {
    readonly keys?: readonly AccessKey[];
    readonly maxWaitingReceives?: number;
  };
}

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly ports?: Ports;
}

interface Ports {
  readonly tcp: number;
  readonly ws: number;
  /** 0 if it is not open. */
  readonly sqs: number;
}

export class BrokerProcess {
  readonly port: number;
  readonly webSocketPort: number;
  readonly sqsPort: number;
  readonly #child: ChildProcess;
  #nextId = 1;
  readonly #waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  hasExited = false;

  private constructor(child: ChildProcess, ports: Ports) {
    this.#child = child;
    this.port = ports.tcp;
    this.webSocketPort = ports.ws;
    this.sqsPort = ports.sqs;
    child.on('message', ({ id, result }: Answer) => {
      if (id === undefined) return;
      this.#waiting.get(id)?.resolve(result);
      this.#waiting.delete(id);
    });
    child.on('exit', (code, signal) => {
      this.hasExited = true;
      for (const { reject } of this.#waiting.values()) reject(new Error(`the broker died: ${code ?? signal}`));
    });
  }

  static async start(options: BrokerProcessOptions = {}): Promise<BrokerProcess> {
    const script = fileURLToPath(new URL('./broker-runner.mjs', import.meta.url));
    const { heapMb, ...own } = options;
    const execArgv = ['--expose-gc'];
    if (heapMb !== undefined) execArgv.push(`--max-old-space-size=${heapMb}`);
    const child = fork(script, [JSON.stringify({ limits: {}, ...own })], { execArgv });
    const ports = await new Promise<Ports>((resolve, reject) => {
      child.once('message', (answer: Answer) => resolve(answer.ports as Ports));
      child.once('exit', () => reject(new Error('the broker did not start')));
    });
    return new BrokerProcess(child, ports);
  }

  report(): Promise<BrokerReport> {
    return this.#ask('report') as Promise<BrokerReport>;
  }

  /** The figures after a garbage collection. */
  collect(): Promise<BrokerReport> {
    return this.#ask('gc') as Promise<BrokerReport>;
  }

  async resetDelay(): Promise<void> {
    await this.#ask('resetDelay');
  }

  async stop(graceMs = 2000): Promise<void> {
    await this.#ask('stop', graceMs);
  }

  /** Ends the process. */
  async end(): Promise<void> {
    if (this.hasExited) return;
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await exited;
  }

  #ask(command: string, argument?: unknown): Promise<unknown> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (this.hasExited) {
        reject(new Error('the broker is dead'));
        return;
      }
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, command, argument });
    });
  }
}
