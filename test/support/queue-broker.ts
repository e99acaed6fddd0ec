/** A broker with work queues, on a clock that the test turns. */
import type { BridgeRule } from '../../src/bridge/bridge-rule.js';
import { NO_PUSHES, type PushSettings } from '../../src/bridge/push/pushes.js';
import { WorkQueues } from '../../src/cli/work-queues.js';
import { DEFAULT_QUEUE_OPTIONS, type QueueOptions } from '../../src/queues/queue-options.js';
import type { QueueStatistics } from '../../src/queues/queue-statistics.js';
import { MemoryStore } from '../../src/store/memory-store.js';
import type { Store } from '../../src/store/store.js';
import { ManualClock } from './manual-clock.js';
import type { PacketOf, RawClient } from './raw-client.js';
import { TestBroker, type TestBrokerOptions } from './test-broker.js';

export interface QueueBrokerOptions extends TestBrokerOptions {
  readonly queues?: Readonly<Record<string, Partial<QueueOptions>>>;
  /** Default: `t/#` goes into the queue `q`. */
  readonly rules?: readonly Partial<BridgeRule>[];
  readonly store?: Store;
  /** Have to be started. */
  readonly pushes?: PushSettings;
}

export class QueueBroker {
  readonly test: TestBroker;
  readonly workQueues: WorkQueues;
  readonly clock: ManualClock;

  private constructor(test: TestBroker, workQueues: WorkQueues, clock: ManualClock) {
    this.test = test;
    this.workQueues = workQueues;
    this.clock = clock;
  }

  static async start(options: QueueBrokerOptions = {}): Promise<QueueBroker> {
    const { queues = { q: {} }, rules = [{}], store = new MemoryStore(), pushes = NO_PUSHES, ...others } = options;
    const clock = options.clock instanceof ManualClock ? options.clock : new ManualClock();
    const workQueues = new WorkQueues(store, clock, {
      queues: new Map(Object.entries(queues).map(([name, given]) => [name, { ...DEFAULT_QUEUE_OPTIONS, ...given }])),
      rules: rules.map(
        (rule, place): BridgeRule => ({
          name: `rule-${place}`,
          topics: ['t/#'],
          queues: ['q'],
          onFull: 'refuse',
          ...rule,
        }),
      ),
      pushes,
    });
    const test = await TestBroker.start({ ...others, clock, store, workQueues });
    workQueues.giveReceipts((receipt) => test.broker.publish(receipt));
    return new QueueBroker(test, workQueues, clock);
  }

  publish(topic: string, ...payloads: readonly string[]): void {
    for (const payload of payloads) this.test.broker.publish({ topic, payload, qos: 1 });
  }

  statistics(queue = 'q'): QueueStatistics {
    const found = this.workQueues.registry.find(queue);
    if (found === undefined) throw new Error(`there is no queue ${queue}`);
    return found.statistics;
  }

  /** A client that takes from a queue. */
  async consume(clientId: string, options: ConsumeOptions = {}): Promise<RawClient> {
    const { filter = '$queue/q', qos = 1, prefetch, version = 5, connect = {}, identifier } = options;
    const { client } = await this.test.connectFully(clientId, { version, ...connect });
    const properties = {
      ...(prefetch === undefined ? {} : { userProperties: { prefetch: String(prefetch) } }),
      ...(identifier === undefined ? {} : { subscriptionIdentifier: identifier }),
    };
    client.send({
      cmd: 'subscribe',
      messageId: client.nextPacketId(),
      subscriptions: [{ topic: filter, qos }],
      ...(version === 5 ? { properties } : {}),
    });
    const suback = await client.expectPacket('suback');
    if (Number(suback.granted[0]) >= 0x80) throw new Error(`${filter} was refused with ${suback.granted[0]}`);
    return client;
  }
}

export interface ConsumeOptions {
  readonly filter?: string;
  readonly qos?: 0 | 1 | 2;
  readonly prefetch?: number;
  readonly version?: 3 | 4 | 5;
  readonly identifier?: number;
  readonly connect?: Parameters<TestBroker['connectFully']>[1];
}

/** What a consumer is told of a message, by name. */
export function factsOf({ properties }: PacketOf<'publish'>): Record<string, string | string[]> {
  return { ...properties?.userProperties };
}

export function puback(client: RawClient, packet: PacketOf<'publish'>, reasonCode = 0): void {
  client.send({ cmd: 'puback', messageId: packet.messageId ?? 0, ...(client.version === 5 ? { reasonCode } : {}) });
}

export function textOf({ payload }: PacketOf<'publish'>): string {
  return payload.toString();
}
