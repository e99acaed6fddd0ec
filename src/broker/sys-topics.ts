/**
 * The broker's own figures as retained messages under `$SYS/broker/`, by mosquitto's names, so that what reads those
 * goes on working. A topic is published again only when its value has changed.
 */
import { buildMessage } from '../codec/message-builder.js';
import * as PacketType from '../codec/packet-type.js';
import { CallbackTimer } from '../core/timing-wheel.js';
import { accountingOf } from './accounting.js';
import type { BrokerContext } from './broker-context.js';
import { LoadAverage } from './load-average.js';

const NO_PROPERTIES = Buffer.alloc(0);

/** Reads the figures that change; made once for each broker. */
export class SysTopics {
  readonly #context: BrokerContext;
  readonly #version: string;
  readonly #startedAtMs: number;
  readonly #published = new Map<string, string>();
  readonly #loads: ReadonlyMap<string, LoadAverage>;
  readonly #timer = new CallbackTimer(() => this.#onTick());
  #heapMaximum = 0;

  constructor(context: BrokerContext, version: string) {
    this.#context = context;
    this.#version = version;
    this.#startedAtMs = context.clock.now();
    const { metrics, flushQueue } = context;
    this.#loads = new Map([
      ['messages/received', new LoadAverage(() => metrics.allPacketsReceived)],
      ['messages/sent', new LoadAverage(() => metrics.allPacketsSent)],
      ['publish/received', new LoadAverage(() => metrics.packetsReceived[PacketType.PUBLISH] ?? 0)],
      ['publish/sent', new LoadAverage(() => metrics.packetsSent[PacketType.PUBLISH] ?? 0)],
      ['bytes/received', new LoadAverage(() => metrics.bytesReceived)],
      ['bytes/sent', new LoadAverage(() => flushQueue.bytesSent)],
      ['sockets', new LoadAverage(() => metrics.socketsAccepted)],
      ['connections', new LoadAverage(() => metrics.connectionsAccepted)],
    ]);
  }

  /** Publishes the first round and goes on; does nothing if the interval is 0. */
  start(): void {
    if (this.#context.limits.sysIntervalSeconds === 0) return;
    this.#publish('version', `millrace version ${this.#version}`);
    this.#round();
  }

  stop(): void {
    this.#context.wheel.cancel(this.#timer);
  }

  #onTick(): void {
    for (const load of this.#loads.values()) load.update(this.#context.limits.sysIntervalSeconds);
    this.#round();
  }

  #round(): void {
    const { clock, wheel, limits } = this.#context;
    for (const [topic, value] of this.#figures()) this.#publish(topic, String(value));
    for (const [name, load] of this.#loads) {
      for (const [suffix, value] of load.entries()) this.#publish(`load/${name}/${suffix}`, value);
    }
    wheel.arm(this.#timer, clock.now() + limits.sysIntervalSeconds * 1000);
  }

  #figures(): [topic: string, value: number | string][] {
    const { metrics, sessions, connections, retained, topics, drops, clock, flushQueue, store, sink, listeners } =
      this.#context;
    const { overload, sessionQueues, pacer } = this.#context;
    const heap = process.memoryUsage().heapUsed;
    this.#heapMaximum = Math.max(this.#heapMaximum, heap);
    return [
      ['uptime', `${Math.floor((clock.now() - this.#startedAtMs) / 1000)} seconds`],
      ['clients/total', sessions.size],
      ['clients/connected', connections.size],
      ['clients/active', connections.size],
      ['clients/disconnected', sessions.disconnectedCount],
      ['clients/inactive', sessions.disconnectedCount],
      ['clients/maximum', metrics.connectionsMaximum],
      ['clients/expired', sessions.expiredCount],
      ['bytes/received', metrics.bytesReceived],
      ['bytes/sent', flushQueue.bytesSent],
      ['messages/received', metrics.allPacketsReceived],
      ['messages/sent', metrics.allPacketsSent],
      ['publish/messages/received', metrics.packetsReceived[PacketType.PUBLISH] ?? 0],
      ['publish/messages/sent', metrics.packetsSent[PacketType.PUBLISH] ?? 0],
      ['publish/messages/dropped', drops.total],
      ['publish/bytes/received', metrics.publishBytesReceived],
      ['publish/bytes/sent', metrics.publishBytesSent],
      ['retained messages/count', retained.size],
      ['store/messages/count', retained.size + store.log.messages],
      ['store/messages/bytes', retained.bytes + store.log.storedBytes],
      ['messages/stored', retained.size + store.log.messages],
      ['sessions/queued/bytes', sessionQueues.bytes],
      // As the configuration has it: 0 for none.
      ['sessions/queued/limit', Number.isFinite(sessionQueues.maximumBytes) ? sessionQueues.maximumBytes : 0],
      ['storage/durability', store.durability],
      ['storage/state', store.health.state],
      ...Object.entries(accountingOf(this.#context)).map(([name, count]) => named(`accounting/${name}`, count)),
      ...[...drops.entries()].map(([reason, count]) => named(`dropped/${reason}`, count)),
      ...[...(sink?.figures() ?? [])].map(([topic, value]) => named(topic, value)),
      ...listeners.flatMap(({ tls }) => [...(tls?.topics() ?? [])].map(([topic, value]) => named(topic, value))),
      ...listeners.flatMap(({ options, refusals }) =>
        [...refusals].map(([reason, count]) => named(`listeners/${options.name}/refused/${reason}`, count)),
      ),
      ['overload/state', overload.state],
      ['overload/times', overload.times],
      ['overload/refused', overload.refusedConnects],
      ['tls/unexpected', metrics.closesOf('unexpected-tls')],
      ['loop/rests', pacer?.rests ?? 0],
      ['subscriptions/count', topics.subscriptionCount],
      ['shared_subscriptions/count', topics.sharedSubscriptionCount],
      ['heap/current', heap],
      ['heap/maximum', this.#heapMaximum],
    ];
  }

  #publish(name: string, value: string): void {
    if (this.#published.get(name) === value) return;
    this.#published.set(name, value);
    this.#context.router.route(
      buildMessage({
        topic: `$SYS/broker/${name}`,
        payload: Buffer.from(value),
        qos: 0,
        retain: true,
        properties: NO_PROPERTIES,
        publisherId: '',
        nowMs: this.#context.clock.now(),
      }),
    );
  }
}

function named(name: string, count: number): [string, number] {
  return [name, count];
}
