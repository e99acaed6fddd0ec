/**
 * A broker without connections: sessions, router, subscriptions and restart as they are put together there, over a
 * stand-in store. A test plays the connections, and lets it crash.
 */
import { generate } from 'mqtt-packet';
import { pino } from 'pino';
import { type Accounting, accountingOf } from '../../src/broker/accounting.js';
import type { BrokerContext } from '../../src/broker/broker-context.js';
import { BrokerEvents } from '../../src/broker/broker-events.js';
import { BrokerMetrics } from '../../src/broker/broker-metrics.js';
import { DEFAULT_LIMITS } from '../../src/broker/broker-options.js';
import { type RestoreReport, restore } from '../../src/broker/restore.js';
import { RetainedMessages } from '../../src/broker/retained-messages.js';
import { RetainedReplays } from '../../src/broker/retained-replays.js';
import { Router } from '../../src/broker/router.js';
import { subscribe, unsubscribe } from '../../src/broker/subscription-handler.js';
import type { SubscriptionRequest } from '../../src/codec/control-packet.js';
import { PublishDecoder } from '../../src/codec/publish-decoder.js';
import { DeliveryAccounts } from '../../src/core/delivery-accounts.js';
import { DropCounters } from '../../src/core/drop-counters.js';
import type { Qos } from '../../src/core/message.js';
import type { Subscriber } from '../../src/core/subscriber.js';
import { TimingWheel } from '../../src/core/timing-wheel.js';
import { MessageRecorder } from '../../src/sessions/message-recorder.js';
import { MessageStreams } from '../../src/sessions/message-streams.js';
import type { Session, SessionContext } from '../../src/sessions/session.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { MemoryMessageQueue } from '../../src/store/memory-message-queue.js';
import { TopicIndex } from '../../src/topics/topic-index.js';
import { ManualClock } from './manual-clock.js';
import type { StandInDisk } from './stand-in-disk.js';
import { StandInStore, type StandInStoreOptions } from './stand-in-store.js';
import { testMessage } from './test-message.js';

export interface PartsOptions extends StandInStoreOptions {
  readonly maximumMessages?: number;
  readonly maximumBytes?: number;
  readonly maximumTotalBytes?: number;
  readonly dropOldestWhenFull?: boolean;
}

export interface PublishFields {
  readonly topic: string;
  readonly payload: string;
  readonly qos: Qos;
  readonly retain?: boolean;
  readonly publisher?: Session | null;
  readonly expirySeconds?: number;
}

const decoder = new PublishDecoder();

export class BrokerParts {
  readonly store: StandInStore;
  readonly sessions: SessionRegistry;
  readonly accounts: DeliveryAccounts;
  readonly drops = new DropCounters();
  readonly clock: ManualClock;
  readonly topics = new TopicIndex<Subscriber>();
  readonly router: Router;
  readonly #context: BrokerContext;
  readonly #options: PartsOptions;

  constructor(options: PartsOptions = {}, disk: StandInDisk = new Map(), clock = new ManualClock()) {
    this.#options = options;
    this.clock = clock;
    this.store = new StandInStore(disk, options);
    const { store, drops, topics } = this;
    const { log, journal } = store;
    const { maximumMessages = 100_000, maximumBytes = 1 << 26, dropOldestWhenFull = false } = options;
    const { maximumTotalBytes = Number.POSITIVE_INFINITY } = options;
    this.accounts = new DeliveryAccounts(drops);
    const recorder = new MessageRecorder(log, (topic) => store.durabilityOf(topic));
    const streams = new MessageStreams(store.streamIds);
    const wheel = new TimingWheel(clock);
    const sessionContext: SessionContext = {
      journal,
      log,
      recorder,
      streams,
      accounts: this.accounts,
      drops,
      nowMs: () => clock.now(),
      settledTicket: () => journal.settledTicket,
      openQueue: () => new MemoryMessageQueue(maximumMessages, maximumBytes),
      backlogLimits: { maximumMessages, maximumBytes, maximumTotalBytes },
      dropOldestWhenFull,
      onSessionQueuesFull: () => {},
      softLimit: maximumMessages / 2,
      softLimitBytes: maximumBytes / 2,
    };
    this.sessions = new SessionRegistry(sessionContext, store.sessionNumbers, wheel, {
      onWillDue: (_session, will) => this.router.route(will.message),
      onSessionEnded: (session) => this.#onSessionEnded(session, streams),
    });
    const retainedLimits = { maximumMessages: 1000, maximumBytes: 1 << 20, overflow: 'refuse' } as const;
    const retained = new RetainedMessages(journal, drops, retainedLimits, () => true);
    this.router = new Router(topics, retained, recorder, drops, new BrokerMetrics());
    const logger = pino({ level: 'silent' });
    const { sessions, accounts, router } = this;
    const events = new BrokerEvents(logger);
    const limits = DEFAULT_LIMITS;
    // Nothing here asks for what belongs to connections.
    this.#context = {
      ...{ clock, wheel, logger, limits, drops, topics, retained, sessions, accounts, streams, store, journal },
      ...{ router, events },
    } as unknown as BrokerContext;
  }

  get log() {
    return this.store.log;
  }

  /** All that came in against all that became of it. */
  get accounting(): Accounting {
    return accountingOf(this.#context);
  }

  /** The broker of the next process: what was not settled is gone. */
  async crash(options = this.#options): Promise<BrokerParts> {
    const next = new BrokerParts(options, this.store.committer.disk, this.clock);
    await next.restore();
    return next;
  }

  async restore(): Promise<RestoreReport> {
    return await restore(this.#context, (_clientId, will) => this.router.route(will.message));
  }

  subscribe(session: Session, filter: string, options: Partial<SubscriptionRequest> & { identifier?: number } = {}) {
    const { identifier = 0, ...request } = options;
    const terms = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 2, ...request } as const;
    const packet = { packetId: 1, subscriptions: [{ filter, ...terms }], subscriptionIdentifier: identifier } as const;
    return subscribe(this.#context, session, { type: 'subscribe', ...packet, userProperties: [] }, null, null);
  }

  unsubscribe(session: Session, filter: string): void {
    const packet = { type: 'unsubscribe', packetId: 1, filters: [filter], userProperties: [] } as const;
    unsubscribe(this.#context, session, packet, null);
  }

  /** For what a subscription brings of retained messages. */
  replaysFor(session: Session): RetainedReplays {
    return new RetainedReplays(this.#context, session);
  }

  /** @returns the ticket that the publisher's acknowledgement waits for */
  publish({ topic, payload, qos, retain = false, publisher = null, expirySeconds }: PublishFields): number {
    if (publisher === null) {
      const fields = { topic, payload, qos, retain, messageExpiryInterval: expirySeconds };
      this.router.route(testMessage({ ...fields, nowMs: this.clock.now() }));
      return this.router.publication.ticket;
    }
    const packet = { cmd: 'publish', topic, payload, qos, retain, dup: false, messageId: 1 } as const;
    const bytes = generate(packet, { protocolVersion: 5 });
    let bodyStart = 2;
    while ((bytes[bodyStart - 1] as number) > 0x7f) bodyStart++;
    decoder.decode(bytes, 0, bodyStart, bytes.length, true);
    const { message } = decoder;
    message.topic = topic;
    message.publisherId = publisher.clientId;
    message.arrivedAtMs = this.clock.now();
    message.expiresAtMs = 0;
    return this.router.routeReceived(this.topics.entry(topic), decoder, publisher).ticket;
  }

  #onSessionEnded(session: Session, streams: MessageStreams): void {
    for (const { filter, topicFilter, stream } of session.subscriptions) {
      this.topics.unsubscribe(session, topicFilter);
      if (stream !== null) streams.leave(filter, stream);
    }
    session.clearSubscriptions();
  }
}
