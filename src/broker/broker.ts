/**
 * The broker, as a program or another program's part sees it: listeners in, publish and subscribe from within the
 * process, events, and an end. Everything else hangs off the context that is put together for it.
 */
import { buildMessage, encodePublishProperties, type PublishProperties } from '../codec/message-builder.js';
import type { DropCounters } from '../core/drop-counters.js';
import { InvalidArgument, InvalidState } from '../core/errors.js';
import type { Qos } from '../core/message.js';
import { ReasonCode } from '../core/reason-code.js';
import type { Subscriber } from '../core/subscriber.js';
import type { Session } from '../sessions/session.js';
import type { Will } from '../sessions/will.js';
import { isQueueTopic } from '../topics/queue-topic.js';
import { Subscription } from '../topics/subscription.js';
import { InvalidFilter, parseTopicFilter } from '../topics/topic-filter.js';
import { validateTopicName } from '../topics/topic-name.js';
import type { ByteChannel } from '../transport/byte-channel.js';
import { LingeringClose } from '../transport/lingering-close.js';
import type { Listener, ListenerOptions } from '../transport/listener.js';
import { TcpListener } from '../transport/tcp-listener.js';
import { WebSocketListener } from '../transport/websocket-listener.js';
import { type Accounting, accountingOf } from './accounting.js';
import type { BrokerContext } from './broker-context.js';
import type { BrokerEvents } from './broker-events.js';
import type { BrokerMetrics } from './broker-metrics.js';
import type { BrokerOptions } from './broker-options.js';
import { ClientConnection } from './client-connection.js';
import { composeContext } from './compose-context.js';
import type { BanList } from './defence/ban-list.js';
import { LocalSubscription, type MessageHandler } from './local-subscription.js';
import { type RestoreReport, restore } from './restore.js';
import { SysTopics } from './sys-topics.js';
import { WillPublisher } from './will-publisher.js';

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
  readonly metrics: BrokerMetrics;
  readonly drops: DropCounters;
  readonly #context: BrokerContext;
  readonly #wills: WillPublisher;
  readonly #lingeringClose: LingeringClose;
  readonly #sysTopics: SysTopics;
  readonly #listeners: Listener[] = [];
  #isStopping = false;

  /** Makes a broker that listens nowhere yet; {@link start} is the shorter way. */
  constructor(options: BrokerOptions = {}) {
    this.#context = composeContext(options, this.#listeners, {
      onWillDue: (session, will) => this.#onWillDue(session, will),
      onSessionEnded: (session) => this.#onSessionEnded(session),
    });
    const { events, metrics, drops, wheel, slicedTasks, access, overload } = this.#context;
    this.events = events;
    this.metrics = metrics;
    this.drops = drops;
    this.#wills = new WillPublisher(this.#context);
    this.#lingeringClose = new LingeringClose(wheel, slicedTasks);
    access.onChanged(() => this.#onRulesChanged());
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
    // A will whose session has ended with the broker's last run.
    const report = await restore(this.#context, (clientId, will) => this.#wills.publish(clientId, will));
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
    const { logger, guard, overload, slicedTasks, pacer } = this.#context;
    const transport = {
      clock: this.#context.clock,
      slicedTasks,
      logger,
      lingeringClose: this.#lingeringClose,
      gate: {
        get isClosed() {
          return overload.state === 'full';
        },
        isBanned: (address: string) => guard.bans.findAddress(address) !== undefined,
      },
      onAccepted: () => pacer?.skipRest(),
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
        nowMs: this.#context.clock.now(),
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
    });
    topics.subscribe(subscription);
    if (parsed.shareName === undefined) {
      for (const message of retained.search(parsed)) {
        if (retained.check(message, this.#context.clock.now())) subscriber.receive(message, true);
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
    await Promise.race([settled, new Promise<void>((resolve) => this.#context.clock.schedule(graceMs, resolve))]);
    this.#lingeringClose.destroyAll();
    this.#context.wheel.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #onWillDue(session: Session, will: Will): void {
    if (!this.#isStopping) this.#wills.publish(session.clientId, will);
  }

  #onRulesChanged(): void {
    const { sessions, connections } = this.#context;
    for (const { guard } of sessions) guard?.onRulesChanged();
    for (const connection of connections.values()) connection.onRulesChanged();
  }

  #onSessionEnded(session: Session): void {
    for (const subscription of session.subscriptions) {
      const { filter, topicFilter, stream } = subscription;
      this.#context.topics.unsubscribe(session, topicFilter);
      if (stream !== null) this.#context.streams.leave(filter, stream);
    }
    session.clearSubscriptions();
    this.events.tell('sessionEnded', { clientId: session.clientId });
  }
}
