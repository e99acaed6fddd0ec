/**
 * The broker, as a program or another program's part sees it: listeners in, publish and subscribe from within the
 * process, events, and an end. Everything else hangs off the context that it puts together.
 */
import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { AccessControl } from '../auth/access/access-control.js';
import { AuthenticationChain } from '../auth/authentication-chain.js';
import {
  buildMessage,
  encodePublishProperties,
  type PublishProperties,
  restartExpiry,
} from '../codec/message-builder.js';
import { AuditLog } from '../core/audit-log.js';
import { type Clock, SystemClock } from '../core/clock.js';
import { DeliveryAccounts } from '../core/delivery-accounts.js';
import { DropCounters } from '../core/drop-counters.js';
import { InvalidArgument, InvalidState } from '../core/errors.js';
import type { Qos } from '../core/message.js';
import { NoticeLimit } from '../core/notice-limit.js';
import { ReasonCode } from '../core/reason-code.js';
import { SlicedTasks } from '../core/sliced-tasks.js';
import type { Subscriber } from '../core/subscriber.js';
import { TimingWheel } from '../core/timing-wheel.js';
import { MessageRecorder } from '../sessions/message-recorder.js';
import { MessageStreams } from '../sessions/message-streams.js';
import type { Session } from '../sessions/session.js';
import { SessionRegistry } from '../sessions/session-registry.js';
import type { Will } from '../sessions/will.js';
import { MemoryMessageQueue } from '../store/memory-message-queue.js';
import { MemoryStore } from '../store/memory-store.js';
import { isQueueTopic } from '../topics/queue-topic.js';
import { Subscription } from '../topics/subscription.js';
import { InvalidFilter, parseTopicFilter } from '../topics/topic-filter.js';
import { TopicIndex } from '../topics/topic-index.js';
import { validateTopicName } from '../topics/topic-name.js';
import type { ByteChannel } from '../transport/byte-channel.js';
import { FlushQueue } from '../transport/flush-queue.js';
import { LingeringClose } from '../transport/lingering-close.js';
import type { Listener, ListenerOptions } from '../transport/listener.js';
import { TcpListener } from '../transport/tcp-listener.js';
import { WebSocketListener } from '../transport/websocket-listener.js';
import { type Accounting, accountingOf } from './accounting.js';
import type { BrokerContext, OpenConnection } from './broker-context.js';
import { BrokerEvents } from './broker-events.js';
import { BrokerMetrics } from './broker-metrics.js';
import { type BrokerOptions, DEFAULT_LIMITS } from './broker-options.js';
import { ClientConnection } from './client-connection.js';
import type { BanList } from './defence/ban-list.js';
import { ConnectGuard } from './defence/connect-guard.js';
import { DEFAULT_DEFENCE } from './defence/defence-options.js';
import { GatedConnections } from './gated-connections.js';
import { LocalSubscription, type MessageHandler } from './local-subscription.js';
import { OverloadGuard } from './overload-guard.js';
import { OwnProcessLoad } from './process-load.js';
import { QueueRoom } from './queue-room.js';
import { type RestoreReport, restore } from './restore.js';
import { RetainedMessages } from './retained-messages.js';
import { Router } from './router.js';
import { SessionQueueBound } from './session-queue-bound.js';
import { StorageGuard } from './storage-guard.js';
import { SysTopics } from './sys-topics.js';

export type { AuthenticationExchange, AuthenticationMethod, ExchangeStep } from '../auth/authentication-method.js';
export type { ClientInfo } from './broker-events.js';
export type { BrokerLimits, BrokerOptions } from './broker-options.js';
export type { MessageHandler, ReceivedMessage } from './local-subscription.js';
export type { Listener, ListenerOptions };

export interface PublishRequest extends PublishProperties {
  readonly topic: string;
  readonly payload: string | Buffer;
  /** Default 0. */
  readonly qos?: Qos;
  readonly retain?: boolean;
}

/** Connections that are refused or closed in one slice while stopping. */
const CLOSE_SLICE = 500;

export class Broker {
  /** Client comings and goings, subscriptions; never anything per message. */
  readonly events: BrokerEvents;
  readonly metrics = new BrokerMetrics();
  readonly drops = new DropCounters();
  readonly #context: BrokerContext;
  readonly #clock: Clock;
  readonly #wheel: TimingWheel;
  readonly #lingeringClose: LingeringClose;
  readonly #sysTopics: SysTopics;
  readonly #listeners: Listener[] = [];
  #isStopping = false;

  /** Makes a broker that listens nowhere yet; {@link start} is the shorter way. */
  constructor(options: BrokerOptions = {}) {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const clock = options.clock ?? new SystemClock();
    const logger = options.logger ?? pino({ level: 'silent' });
    this.events = new BrokerEvents(logger);
    const store = options.store ?? new MemoryStore();
    const { journal, log } = store;
    const accounts = new DeliveryAccounts(this.drops);
    const recorder = new MessageRecorder(log, (topic) => store.durabilityOf(topic));
    const streams = new MessageStreams(store.streamIds);
    const wheel = new TimingWheel(clock);
    const slicedTasks = new SlicedTasks(clock);
    const notices = new NoticeLimit(clock);
    const sessionQueues = new SessionQueueBound(
      limits.queueTotalMaximumBytes,
      limits.queueTotalOverflow,
      log,
      this.drops,
      notices,
      logger,
    );
    const sink = options.sink?.(this.drops) ?? null;
    const topics = new TopicIndex<Subscriber>();
    const isStorable = (topic: string): boolean =>
      store.health.state === 'ok' || store.durabilityOf(topic) === 'memory';
    const retained = new RetainedMessages(
      journal,
      this.drops,
      {
        maximumMessages: limits.retainedMaximumMessages,
        maximumBytes: limits.retainedMaximumBytes,
        overflow: limits.retainedOverflow,
      },
      isStorable,
    );
    const sessions = new SessionRegistry(
      {
        journal,
        log,
        recorder,
        streams,
        accounts,
        drops: this.drops,
        nowMs: () => clock.now(),
        settledTicket: () => journal.settledTicket,
        openQueue: () => new MemoryMessageQueue(limits.queueMaximumMessages, limits.queueMaximumBytes),
        backlogLimits: {
          maximumMessages: limits.queueMaximumMessages,
          maximumBytes: limits.queueMaximumBytes,
          maximumTotalBytes: sessionQueues.maximumBytes,
        },
        dropOldestWhenFull: limits.queueOverflow === 'drop-oldest',
        onSessionQueuesFull: () => sessionQueues.notice(),
        softLimit: Math.floor(limits.queueMaximumMessages / 2),
        softLimitBytes: Math.floor(limits.queueMaximumBytes / 2),
      },
      store.sessionNumbers,
      wheel,
      {
        onWillDue: (session, will) => this.#publishWill(session, will),
        onSessionEnded: (session) => this.#onSessionEnded(session),
      },
    );
    this.#clock = clock;
    this.#wheel = wheel;
    const audit = new AuditLog(logger, clock, options.audit ?? 'failures');
    const connections = new Map<string, OpenConnection>();
    const defence = { ...DEFAULT_DEFENCE, ...options.defence };
    const overload = new OverloadGuard(limits, clock, options.load ?? new OwnProcessLoad(), logger);
    this.#lingeringClose = new LingeringClose(wheel, slicedTasks);
    this.#context = {
      clock,
      wheel,
      slicedTasks,
      logger,
      notices,
      audit,
      guard: new ConnectGuard(defence, { clock, logger, notices, audit, journal, connections, overload }),
      overload,
      limits,
      metrics: this.metrics,
      drops: this.drops,
      topics,
      retained,
      sessions,
      sessionQueues,
      accounts,
      streams,
      store,
      queues: options.queues ?? null,
      sink,
      work: options.work ?? null,
      queueRoom: new QueueRoom(wheel, limits.storageFailureTimeoutMs),
      storage: new StorageGuard(store, this.drops, wheel, limits.storageFailureTimeoutMs, {
        closeWaiting: () => this.#closeWaiting(),
      }),
      journal,
      router: new Router(topics, retained, recorder, this.drops, this.metrics, sink, isStorable),
      flushQueue: new FlushQueue(),
      authenticator: options.authenticator ?? new AuthenticationChain(undefined),
      authenticationMethods: new Map(options.authenticationMethods?.map((method) => [method.name, method])),
      access: options.access ?? new AccessControl(null),
      events: this.events,
      listeners: this.#listeners,
      handshaking: new Set(),
      connections,
      gated: new GatedConnections(),
      newClientId: () => `auto-${randomBytes(12).toString('hex')}`,
    };
    journal.onSettled(() => {
      this.#context.gated.onSettled();
      this.#context.queues?.onSettled();
      this.#context.storage.onSettled();
    });
    this.#context.access.onChanged(() => this.#onRulesChanged());
    this.#sysTopics = new SysTopics(this.#context, options.version ?? '0');
    this.#sysTopics.start();
    overload.start();
  }

  /**
   * Makes a broker and opens its listeners.
   * @throws ListenFailed if one of them cannot be bound; none is open then
   */
  static async start(options: BrokerOptions & { readonly listeners: readonly ListenerOptions[] }): Promise<Broker> {
    const broker = new Broker(options);
    try {
      await broker.restore();
      for (const listener of options.listeners) await broker.listen(listener);
    } catch (error) {
      await broker.stop();
      throw error;
    }
    return broker;
  }

  /**
   * Brings back what the store holds. To be called once, before the first client is let in; {@link start} does.
   * @returns what there was
   */
  async restore(): Promise<RestoreReport> {
    const report = await restore(this.#context, (clientId, will) => this.#publishOrphanWill(clientId, will));
    const { logger } = this.#context;
    const { sessions, retained, damaged, lostMessages } = report;
    if (sessions + retained > 0) logger.info(report, 'restored from the data directory');
    if (damaged + lostMessages > 0) {
      logger.warn({ damaged, lostMessages }, 'parts of the data could not be read and are lost; the rest is served');
    }
    return report;
  }

  /** Where it listens. */
  get listeners(): readonly Listener[] {
    return this.#listeners;
  }

  /** Connected clients. */
  get connectionCount(): number {
    return this.#context.connections.size;
  }

  /** Sessions, connected or kept. */
  get sessionCount(): number {
    return this.#context.sessions.size;
  }

  get retainedCount(): number {
    return this.#context.retained.size;
  }

  /** What has become of all QoS 1 and 2 messages, and whether any is missing. */
  get accounting(): Accounting {
    return accountingOf(this.#context);
  }

  /** Who is banned. */
  get bans(): BanList {
    return this.#context.guard.bans;
  }

  get subscriptionCount(): number {
    return this.#context.topics.subscriptionCount;
  }

  /**
   * Opens a listener.
   * @throws ListenFailed if the address cannot be bound
   * @throws TlsUnusable if the files of its `tls` cannot be used
   */
  async listen(options: ListenerOptions): Promise<Listener> {
    if (this.#isStopping) throw new InvalidState('the broker is stopping');
    const acceptor = (channel: ByteChannel) => this.attach(channel);
    const maximumMessageBytes = options.maximumMessageBytes ?? 2 * this.#context.limits.maximumPacketSize;
    const { logger, guard, overload, slicedTasks } = this.#context;
    const transport = {
      clock: this.#clock,
      slicedTasks,
      logger,
      lingeringClose: this.#lingeringClose,
      gate: {
        get isClosed() {
          return overload.state === 'full';
        },
        isBanned: (address: string) => guard.bans.findAddress(address) !== undefined,
      },
      onTrustChanged: () => this.#onTrustChanged(),
    };
    const listener =
      options.kind === 'ws'
        ? await WebSocketListener.open({ ...options, maximumMessageBytes }, acceptor, transport)
        : await TcpListener.open(options, acceptor, transport);
    this.#listeners.push(listener);
    return listener;
  }

  /** Serves MQTT on a channel that somebody else has opened. */
  attach(channel: ByteChannel): void {
    if (this.#isStopping) channel.destroy();
    else new ClientConnection(channel, this.#context);
  }

  /**
   * Publishes from within the process; takes effect before it returns, unless called from a message handler, where it
   * takes effect when that has returned, or in one of the next turns if much is waiting.
   * @throws InvalidArgument for a topic name that is not valid or a property out of range
   */
  publish(request: PublishRequest): void {
    const invalid = validateTopicName(request.topic, this.#context.limits.maximumTopicLevels);
    if (invalid !== undefined) throw new InvalidArgument(`topic "${request.topic}": ${invalid}`);
    const qos = request.qos ?? 0;
    if (qos !== 0 && qos !== 1 && qos !== 2) throw new InvalidArgument(`qos must be 0, 1 or 2, not ${qos}`);
    const payload = typeof request.payload === 'string' ? Buffer.from(request.payload) : request.payload;
    this.#context.router.route(
      buildMessage({
        topic: request.topic,
        payload,
        qos,
        retain: request.retain ?? false,
        properties: encodePublishProperties(request),
        publisherId: '',
        nowMs: this.#clock.now(),
      }),
    );
  }

  /**
   * Calls `handler` for every message that matches `filter`, the retained ones first. It is called while the message is
   * on its way to everybody else: it should be quick.
   * @returns ends the subscription
   * @throws InvalidArgument for a filter that is not valid
   */
  subscribe(filter: string, handler: MessageHandler): () => void {
    const parsed = parseTopicFilter(filter, this.#context.limits.maximumTopicLevels);
    if (parsed instanceof InvalidFilter) throw new InvalidArgument(`filter "${filter}": ${parsed.reason}`);
    if (isQueueTopic(parsed.path))
      throw new InvalidArgument(`filter "${filter}": a work queue has no subscribers within the process`);
    const { topics, retained, logger } = this.#context;
    const subscriber = new LocalSubscription(handler, logger);
    const subscription = new Subscription<Subscriber>({
      subscriber,
      filter: parsed,
      qos: 2,
      noLocal: false,
      retainAsPublished: false,
      identifier: 0,
      stream: null,
      sinceSequence: 0,
    });
    topics.subscribe(subscription);
    if (parsed.shareName === undefined) {
      for (const message of retained.search(parsed)) {
        if (retained.check(message, this.#clock.now())) subscriber.receive(message, true);
      }
    }
    return () => {
      topics.unsubscribe(subscriber, parsed);
    };
  }

  /**
   * Ends the connections of clients that were let in by what has been taken back since: users who are gone from a file, or
   * have another password; keys of tokens; certificates that are not trusted any more.
   * @returns how many
   */
  async endWithdrawn(): Promise<number> {
    let ended = 0;
    let inSlice = 0;
    for (const connection of [...this.#context.connections.values()]) {
      if (connection.endIfWithdrawn()) ended++;
      if (++inSlice % CLOSE_SLICE === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return ended;
  }

  #onTrustChanged(): void {
    const { logger } = this.#context;
    this.endWithdrawn().then(
      (connections) => {
        if (connections > 0)
          logger.info({ connections }, 'connections by certificates that are withdrawn have been ended');
      },
      (error: unknown) =>
        logger.error({ err: error }, 'connections by certificates that are withdrawn could not be ended'),
    );
  }

  /**
   * Stops: accepts nothing more, tells MQTT 5 clients so (0x8B), settles what is durable, ends every connection.
   * @param graceMs longest time to take
   */
  async stop(graceMs = 10_000): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#sysTopics.stop();
    this.#context.overload.stop();
    this.#context.storage.stop();
    this.#context.queueRoom.stop();
    this.#context.sessions.freeze();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    for (const connection of [...this.#context.handshaking]) connection.close('server-shutdown');
    let inSlice = 0;
    for (const connection of [...this.#context.connections.values()]) {
      connection.close('server-shutdown', ReasonCode.ServerShuttingDown);
      if (++inSlice % CLOSE_SLICE === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const settled = Promise.all([this.#context.store.close(), this.#lingeringClose.idle()]);
    await Promise.race([settled, new Promise<void>((resolve) => this.#clock.schedule(graceMs, resolve))]);
    this.#lingeringClose.destroyAll();
    this.#wheel.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #publishWill(session: Session, will: Will): void {
    if (!this.#isStopping) this.#publishWillOf(session.clientId, will);
  }

  /** Its owner may have been allowed it when he connected, and not be any more. */
  #publishWillOf(clientId: string, will: Will): void {
    const { router, sessions, logger, access } = this.#context;
    const { message, owner } = will;
    const client = owner === undefined ? null : access.accessOf({ ...owner, clientId });
    if (client?.mayPublish(message) === false) {
      logger.debug({ clientId, topic: message.topic }, 'will not published: its owner may not publish there');
      this.drops.count('not-authorized');
      sessions.forgetWill(clientId);
      return;
    }
    restartExpiry(message, this.#clock.now());
    logger.debug({ clientId, topic: message.topic }, 'will published');
    router.route(message, () => sessions.forgetWill(clientId));
  }

  #onRulesChanged(): void {
    const { sessions, connections } = this.#context;
    for (const { guard } of sessions) guard?.onRulesChanged();
    for (const connection of connections.values()) connection.onRulesChanged();
  }

  /** Their answers wait for a disk that takes nothing. */
  #closeWaiting(): void {
    for (const connection of this.#context.gated) {
      if (connection.isOwedAnswers) connection.close('storage-unavailable', ReasonCode.QuotaExceeded);
    }
  }

  /** Its session ended with the broker's last run. */
  #publishOrphanWill(clientId: string, will: Will): void {
    this.#publishWillOf(clientId, will);
  }

  #onSessionEnded(session: Session): void {
    for (const subscription of session.subscriptions.values()) {
      const { filter, topicFilter, stream } = subscription;
      this.#context.topics.unsubscribe(session, topicFilter);
      if (stream !== null) this.#context.streams.leave(filter, stream);
    }
    session.clearSubscriptions();
    this.events.tell('sessionEnded', { clientId: session.clientId });
  }
}
