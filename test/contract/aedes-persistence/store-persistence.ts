/**
 * The contract of aedes-persistence, offered by the parts that the broker keeps its data with: what is written goes
 * through our journal and message log into our committed database, what is looked up comes from our indexes.
 *
 *   subscriptions   journal, by topic: TopicIndex; by client: the package, which reads what our catalogue has written
 *   retained        journal and RetainedMessages
 *   outgoing,       message log, stream, window and session state: PacketQueue
 *   incoming
 *   wills           journal and what it loads
 */
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { RetainedMessages } from '../../../src/broker/retained-messages.js';
import { SystemClock } from '../../../src/core/clock.js';
import { DropCounters } from '../../../src/core/drop-counters.js';
import type { Message, Qos } from '../../../src/core/message.js';
import { Publication } from '../../../src/core/publication.js';
import { decodeSessionState } from '../../../src/sessions/session-state.js';
import { CommittedLevel } from '../../../src/store/committed-level.js';
import { LevelStore } from '../../../src/store/level-store.js';
import { TopicIndex } from '../../../src/topics/topic-index.js';
import { filterOf, subscriptionOf } from '../../support/subscriptions.js';
import { type PublishPacket, type PubrelPacket, toMessage, toPacket, type WillPacket } from './contract-packet.js';
import { PacketQueue } from './packet-queue.js';

export interface Client {
  readonly id: string;
}

export interface ContractBroker {
  readonly id: string;
}

export interface SubscriptionPacket {
  readonly topic: string;
  readonly qos: Qos;
  readonly rh?: 0 | 1 | 2;
  readonly rap?: boolean;
  readonly nl?: boolean;
  readonly subscriptionIdentifier?: number;
}

export interface StorePersistenceOptions {
  /** Of the database. */
  readonly location: string;
  /** Everything is closed and opened again before each read: what is read comes from the disk. */
  readonly reopensBeforeReading: boolean;
  /** Called when the persistence has been destroyed. */
  readonly onDestroyed: () => Promise<void>;
}

/** What is used of the package's class. */
interface PackagePersistence {
  setup(broker: ContractBroker): Promise<void>;
  subscriptionsByClient(client: Client): Promise<(SubscriptionPacket & Record<string, unknown>)[]>;
  countOffline(): Promise<{ subsCount: number; clientsCount: number }>;
  getClientList(topic: string): Readable;
}

const PackagePersistence = createRequire(import.meta.url)('aedes-persistence-level/asyncPersistence.js') as new (
  level: CommittedLevel,
) => PackagePersistence;

/** One subscription is one subscriber of the index: the contract wants overlapping ones apart. */
interface Subscribed extends SubscriptionPacket {
  readonly clientId: string;
}

const NO_LIMITS = { maximumMessages: 1e9, maximumBytes: 1e9, overflow: 'refuse' } as const;

/** Everything that a process has in memory. */
class Opened {
  readonly level: CommittedLevel;
  readonly store: LevelStore;
  readonly package: PackagePersistence;
  readonly retained: RetainedMessages;
  readonly topics = new TopicIndex<Subscribed>();
  /** By client id. */
  readonly wills = new Map<string, Message>();
  readonly #subscribed = new Map<string, Subscribed>();
  readonly #queues = new Map<string, PacketQueue>();

  private constructor(level: CommittedLevel, store: LevelStore) {
    this.level = level;
    this.store = store;
    this.package = new PackagePersistence(level);
    this.retained = new RetainedMessages(store, new DropCounters(), NO_LIMITS, () => true);
  }

  static async open(location: string, broker: ContractBroker): Promise<Opened> {
    const clock = new SystemClock();
    // The tests cut no machine's power.
    const level = new CommittedLevel(location, {
      clock,
      maximumPendingBytes: 1 << 26,
      minimumFreeBytes: 0,
      isSynced: false,
    });
    await level.open();
    const store = await LevelStore.open(level, {
      clock,
      cacheBytes: 1 << 20,
      maximumPendingBytes: 1 << 26,
      durability: 'fsync',
      durabilityOf: () => 'fsync',
      onDamaged: (messages) => {
        throw new RangeError(`${messages} messages are damaged`);
      },
    });
    const opened = new Opened(level, store);
    await opened.package.setup(broker);
    await opened.#load();
    return opened;
  }

  queue(direction: 'outgoing' | 'incoming', clientId: string): PacketQueue {
    const name = `${direction}/${clientId}`;
    const queue = this.#queues.get(name) ?? PacketQueue.create(this.store, name);
    this.#queues.set(name, queue);
    return queue;
  }

  forgetQueue(queue: PacketQueue): void {
    queue.clear();
    this.#queues.delete(queue.record.clientId);
  }

  subscribe(subscribed: Subscribed): void {
    const { clientId, topic, qos, nl = false, rap = false } = subscribed;
    this.unsubscribe(clientId, topic);
    this.#subscribed.set(`${clientId}:${topic}`, subscribed);
    this.topics.subscribe(subscriptionOf(subscribed, topic, { qos, noLocal: nl, retainAsPublished: rap }));
  }

  unsubscribe(clientId: string, topic: string): void {
    const subscribed = this.#subscribed.get(`${clientId}:${topic}`);
    if (subscribed === undefined) return;
    this.#subscribed.delete(`${clientId}:${topic}`);
    this.topics.unsubscribe(subscribed, filterOf(topic));
  }

  /** As the broker does at start. */
  async #load(): Promise<void> {
    const states = new Map<number, Buffer>();
    const damaged = await this.store.load({
      onSession: (record) => this.#queues.set(record.clientId, new PacketQueue(this.store, record)),
      onState: (number, bytes) => states.set(number, bytes),
      onSubscription: (clientId, { filter: topic, qos, noLocal: nl, retainAsPublished: rap, retainHandling: rh }) => {
        this.subscribe({ clientId, topic, qos, rh, rap, nl });
      },
      onWill: (clientId, { message }) => this.wills.set(clientId, message),
      onRetained: (message) => this.retained.restore(message),
    });
    if (damaged > 0) throw new RangeError(`${damaged} records are damaged`);
    const held = new Map<number, number>();
    const byStream = new Map<number, PacketQueue>();
    for (const queue of this.#queues.values()) {
      const state = states.get(queue.number);
      if (state !== undefined) queue.restore(decodeSessionState(state));
      for (const sequence of queue.heldSequences()) held.set(sequence, (held.get(sequence) ?? 0) + 1);
      byStream.set(queue.stream.id, queue);
    }
    await this.store.log.recover(({ sequence, byteLength, streams }) => {
      let references = held.get(sequence) ?? 0;
      for (const id of streams) {
        const stream = byStream.get(id)?.stream;
        if (stream === undefined || stream.slowestPosition() >= sequence) continue;
        stream.push(sequence, byteLength);
        references++;
      }
      return references;
    });
    for (const queue of this.#queues.values()) queue.finishRestore();
  }
}

export class StorePersistence {
  readonly #options: StorePersistenceOptions;
  #broker: ContractBroker = { id: '' };
  #opened: Opened | null = null;

  constructor(options: StorePersistenceOptions) {
    this.#options = options;
  }

  get broker(): ContractBroker {
    return this.#broker;
  }

  async setup(broker: ContractBroker): Promise<void> {
    this.#broker = broker;
    this.#opened = await Opened.open(this.#options.location, broker);
  }

  async destroy(): Promise<void> {
    await this.#opened?.store.close();
    this.#opened = null;
    await this.#options.onDestroyed();
  }

  // ---------------------------------------------------------------- retained messages

  async storeRetained(packet: PublishPacket): Promise<void> {
    const { store, retained } = this.#current;
    const publication = new Publication();
    publication.beginKept(toMessage(packet));
    retained.store(publication);
    await store.flush();
  }

  createRetainedStream(pattern: string): Readable {
    return this.createRetainedStreamCombi([pattern]);
  }

  createRetainedStreamCombi(patterns: readonly string[]): Readable {
    return Readable.from(this.#findRetained(patterns));
  }

  async *#findRetained(patterns: readonly string[]): AsyncIterableIterator<object> {
    const { retained } = await this.#read();
    for (const pattern of patterns) {
      for (const message of retained.search(filterOf(pattern))) {
        if (retained.check(message, 0)) yield this.#toRetainedPacket(message);
      }
    }
  }

  #toRetainedPacket({ topic, payload, qos, retain }: Message): object {
    return { cmd: 'publish', id: this.#broker.id, topic, payload: Buffer.from(payload), qos, retain };
  }

  // ---------------------------------------------------------------- subscriptions

  async addSubscriptions(client: Client, subscriptions: readonly SubscriptionPacket[]): Promise<void> {
    const opened = this.#current;
    for (const subscription of subscriptions) {
      const { topic, qos, rh = 0, rap = false, nl = false, subscriptionIdentifier = 0 } = subscription;
      opened.subscribe({ ...subscription, clientId: client.id });
      opened.store.subscriptionSaved(client.id, {
        filter: topic,
        qos,
        noLocal: nl,
        retainAsPublished: rap,
        retainHandling: rh,
        identifier: subscriptionIdentifier,
        streamId: 0,
        sinceSequence: 0,
      });
    }
    await opened.store.flush();
  }

  async removeSubscriptions(client: Client, topics: readonly string[]): Promise<void> {
    const opened = this.#current;
    for (const topic of topics) {
      opened.unsubscribe(client.id, topic);
      opened.store.subscriptionRemoved(client.id, topic);
    }
    await opened.store.flush();
  }

  async subscriptionsByClient(client: Client): Promise<object[]> {
    const { package: reader } = await this.#read();
    const records = await reader.subscriptionsByClient(client);
    return records.map(({ streamId: _streamId, sinceSequence: _sinceSequence, ...subscription }) => subscription);
  }

  async cleanSubscriptions(client: Client): Promise<void> {
    const known = await this.#current.package.subscriptionsByClient(client);
    await this.removeSubscriptions(
      client,
      known.map(({ topic }) => topic),
    );
  }

  async countOffline(): Promise<{ subsCount: number; clientsCount: number }> {
    return await (await this.#read()).package.countOffline();
  }

  getClientList(topic: string): Readable {
    return this.#stream(({ package: reader }) => reader.getClientList(topic));
  }

  /** Who would be sent a QoS 1 or 2 message, the longest filters first: our index has no order, the contract has one. */
  async subscriptionsByTopic(topic: string): Promise<object[]> {
    const { topics } = await this.#read();
    const matching = topics.match(topic).receivers.map(({ subscriber }) => subscriber);
    const keeping = matching.filter(({ qos }) => qos > 0);
    keeping.sort((a, b) => b.topic.length - a.topic.length);
    return keeping.map(({ clientId, topic: filter, qos, rh, rap, nl }) => {
      return { clientId, topic: filter, qos, rh, rap, nl };
    });
  }

  // ---------------------------------------------------------------- messages to clients

  async outgoingEnqueue({ clientId }: { readonly clientId: string }, packet: PublishPacket): Promise<void> {
    const opened = this.#current;
    opened.queue('outgoing', clientId).enqueue(packet);
    await opened.store.flush();
  }

  async outgoingEnqueueCombi(
    subscriptions: readonly { readonly clientId: string }[],
    packet: PublishPacket,
  ): Promise<void> {
    for (const subscription of subscriptions) await this.outgoingEnqueue(subscription, packet);
  }

  async outgoingUpdate(client: Client, packet: PublishPacket | PubrelPacket): Promise<void> {
    const opened = this.#current;
    const queue = opened.queue('outgoing', client.id);
    if (packet.cmd === 'pubrel') queue.receive(packet.messageId);
    else await queue.assign(packet);
    await opened.store.flush();
  }

  async outgoingClearMessageId(client: Client, packet: PublishPacket | PubrelPacket): Promise<object | undefined> {
    const opened = this.#current;
    const { messageId } = packet;
    const removed = messageId === undefined ? undefined : await opened.queue('outgoing', client.id).remove(messageId);
    await opened.store.flush();
    return removed;
  }

  outgoingStream(client: Client): Readable {
    return this.#stream((opened) => opened.queue('outgoing', client.id).packets());
  }

  // ---------------------------------------------------------------- QoS 2 messages of clients

  async incomingStorePacket(client: Client, packet: PublishPacket): Promise<void> {
    const opened = this.#current;
    const queue = opened.queue('incoming', client.id);
    queue.enqueue(packet);
    await queue.assign(packet);
    await opened.store.flush();
  }

  async incomingGetPacket(client: Client, { messageId }: { readonly messageId: number }): Promise<object> {
    const packet = await (await this.#read()).queue('incoming', client.id).find(messageId);
    if (packet === undefined) throw new RangeError('no such packet');
    return packet;
  }

  async incomingDelPacket(client: Client, { messageId }: { readonly messageId: number }): Promise<void> {
    const opened = this.#current;
    await opened.queue('incoming', client.id).remove(messageId);
    await opened.store.flush();
  }

  async cleanIncoming(client: Client): Promise<void> {
    const opened = this.#current;
    opened.forgetQueue(opened.queue('incoming', client.id));
    await opened.store.flush();
  }

  // ---------------------------------------------------------------- wills

  async putWill(client: Client, packet: WillPacket): Promise<void> {
    const { store, wills } = this.#current;
    // As aedes expects: it hands the packet on with these.
    packet.brokerId = this.#broker.id;
    packet.clientId = client.id;
    const message = toMessage({ cmd: 'publish', ...packet });
    wills.set(client.id, message);
    store.willSaved(client.id, { message, delaySeconds: 0 });
    await store.flush();
  }

  async getWill(client: Client): Promise<WillPacket | undefined> {
    const message = (await this.#read()).wills.get(client.id);
    return message === undefined ? undefined : toWillPacket(client.id, message);
  }

  async delWill(client: Client): Promise<WillPacket | undefined> {
    const { store, wills } = this.#current;
    const message = wills.get(client.id);
    if (message === undefined) return undefined;
    wills.delete(client.id);
    store.willRemoved(client.id);
    await store.flush();
    return toWillPacket(client.id, message);
  }

  /** @param brokers those whose wills are left out, by id */
  streamWill(brokers: Readonly<Record<string, unknown>> = {}): Readable {
    return this.#stream(async function* ({ wills }) {
      for (const [clientId, message] of wills) {
        const will = toWillPacket(clientId, message);
        if (brokers[will.brokerId as string] === undefined) yield will;
      }
    });
  }

  // ----------------------------------------------------------------

  get #current(): Opened {
    if (this.#opened === null) throw new TypeError('setup has not been called');
    return this.#opened;
  }

  async #read(): Promise<Opened> {
    if (this.#options.reopensBeforeReading) {
      await this.#current.store.close();
      this.#opened = await Opened.open(this.#options.location, this.#broker);
    }
    return this.#current;
  }

  #stream(items: (opened: Opened) => AsyncIterable<unknown>): Readable {
    const read = () => this.#read();
    return Readable.from(
      (async function* () {
        yield* items(await read());
      })(),
    );
  }
}

function toWillPacket(clientId: string, message: Message): WillPacket {
  const { brokerId, topic, payload, qos, retain } = toPacket(message, undefined);
  return { topic, payload, qos, retain, brokerId, clientId };
}
