/** A registry of queues on a log that can crash, with a clock that the test turns. */
import { Message } from '../../src/core/message.js';
import type { Delivery } from '../../src/queues/delivery.js';
import type { EnqueueOptions, EnqueueOutcome } from '../../src/queues/intake.js';
import type { Queue } from '../../src/queues/queue.js';
import type { QueueOptions } from '../../src/queues/queue-options.js';
import { QueueRegistry } from '../../src/queues/queue-registry.js';
import type { Receive, ReceiveOptions } from '../../src/queues/receive.js';
import { CrashableQueueLog } from './crashable-queue-log.js';
import { ManualClock } from './manual-clock.js';

export function messageOf(payload: string, expiresAtMs = 0): Message {
  const message = new Message();
  message.topic = 'a';
  message.bytes = Buffer.from(`a${payload}`);
  message.topicEnd = 1;
  message.propertiesStart = 1;
  message.propertiesEnd = 1;
  message.payloadStart = 1;
  message.payloadEnd = message.bytes.length;
  message.expiresAtMs = expiresAtMs;
  return message;
}

/** A call of receive, and what it was answered. */
export interface ReceiveCall {
  readonly receive: Receive;
  readonly answer: () => readonly Delivery[] | null;
}

export class QueueWorld {
  readonly clock: ManualClock;
  log = new CrashableQueueLog();
  registry: QueueRegistry;
  #seed = 1;

  constructor(clock = new ManualClock()) {
    this.clock = clock;
    this.registry = this.#newRegistry();
  }

  queue(name: string, options: Partial<QueueOptions> = {}): Queue {
    return this.registry.ensure(name, options);
  }

  get(name: string): Queue {
    const queue = this.registry.find(name);
    if (queue === undefined) throw new RangeError(`no queue ${name}`);
    return queue;
  }

  enqueue(queue: Queue, payload: string, options: EnqueueOptions = {}, expiresAtMs = 0): EnqueueOutcome {
    return this.registry.enqueue(messageOf(payload, expiresAtMs), [{ queue, options }])[0] as EnqueueOutcome;
  }

  /** Begins a receive. */
  ask(queue: Queue, options: ReceiveOptions): ReceiveCall {
    let answer: readonly Delivery[] | null = null;
    const receive = queue.receive(options, {
      onReceived: (deliveries) => {
        answer = deliveries;
      },
    });
    return { receive, answer: () => answer };
  }

  /** Receives what is there, and commits. */
  take(queue: Queue, max = 10, options: Partial<ReceiveOptions> = {}): readonly Delivery[] {
    const call = this.ask(queue, { ...options, max });
    this.log.commit();
    return call.answer() ?? [];
  }

  /** The payloads of {@link take}. */
  takeTexts(queue: Queue, max = 10, options: Partial<ReceiveOptions> = {}): string[] {
    return this.take(queue, max, options).map(textOf);
  }

  /** The process dies and starts again after a while. */
  crash(isWritten = false, downMs = 0): void {
    this.registry.stop();
    this.log = this.log.crash(isWritten);
    this.clock.advance(downMs);
    this.registry = this.#newRegistry();
    this.log.recover(this.registry);
  }

  /** Messages that are in nobody's account, in all queues. */
  get missing(): number {
    let sum = 0;
    for (const queue of this.registry.queues()) sum += Math.abs(queue.missing);
    return sum;
  }

  #newRegistry(): QueueRegistry {
    const seed = this.#seed++;
    const registry = new QueueRegistry(this.log, this.clock, (count) => Buffer.alloc(count, seed));
    this.log.client = registry;
    return registry;
  }
}

export function textOf({ message }: Delivery): string {
  return message.payload.toString();
}
