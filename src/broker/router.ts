/**
 * Brings a publication to everybody whose subscription matches, and to the retained messages. One publication at a time:
 * what is published while another is on its way (a will of a client closed for being slow, a handler that answers at
 * once) waits for its turn.
 */
import type { PublishDecoder } from '../codec/publish-decoder.js';
import { PublishEncoder } from '../codec/publish-encoder.js';
import type { DropCounters } from '../core/drop-counters.js';
import type { Message } from '../core/message.js';
import { Publication } from '../core/publication.js';
import { type PublishSink, Refusal, type SinkRoutes } from '../core/publish-sink.js';
import { type DeliveryOptions, Readiness, type Subscriber } from '../core/subscriber.js';
import type { MessageRecorder } from '../sessions/message-recorder.js';
import type { Ticket } from '../store/ticket.js';
import type { MatchResult } from '../topics/match-result.js';
import { isQueueTopic } from '../topics/queue-topic.js';
import type { Receiver } from '../topics/receiver.js';
import type { TopicIndex } from '../topics/topic-index.js';
import type { BrokerMetrics } from './broker-metrics.js';
import type { RetainedMessages } from './retained-messages.js';

/**
 * Deliveries of waiting messages in one go, a few milliseconds: a handler that answers its own messages for ever, or
 * thousands of wills at once, must leave clients their turns.
 */
const DELIVERIES_PER_TURN = 10_000;

export type TopicEntry = ReturnType<TopicIndex<Subscriber>['entry']>;

interface WaitingMessage {
  readonly message: Message;
  readonly onRouted: (() => void) | null;
}

export class Router {
  /** The publication on its way. */
  readonly publication = new Publication();
  /** Set to the message that is being sent: connections take their bytes from it. */
  readonly encoder = new PublishEncoder();
  readonly #topics: TopicIndex<Subscriber>;
  readonly #retained: RetainedMessages;
  readonly #recorder: MessageRecorder;
  readonly #drops: DropCounters;
  readonly #metrics: BrokerMetrics;
  readonly #sink: PublishSink | null;
  /** What is published on the topic can be stored at present, or need not be. */
  readonly #isStorable: (topic: string) => boolean;
  #isRouting = false;
  /** Messages that wait, from `#nextWaiting` on. */
  #waiting: WaitingMessage[] = [];
  #nextWaiting = 0;
  /** What waits goes on in a turn of its own. */
  #isPutOff = false;

  constructor(
    topics: TopicIndex<Subscriber>,
    retained: RetainedMessages,
    recorder: MessageRecorder,
    drops: DropCounters,
    metrics: BrokerMetrics,
    sink: PublishSink | null = null,
    isStorable: (topic: string) => boolean = () => true,
  ) {
    this.#topics = topics;
    this.#retained = retained;
    this.#recorder = recorder;
    this.#drops = drops;
    this.#metrics = metrics;
    this.#sink = sink;
    this.#isStorable = isStorable;
  }

  /**
   * Routes the PUBLISH that `decoder` holds. Must not be called while routing (input is handled one packet at a time).
   * @param publisher the session that sent it
   * @param refusal what can be done if a work queue does not take it, or it cannot be retained
   * @returns the publication with what routing noted in it, valid until the next one
   */
  routeReceived(
    entry: TopicEntry,
    decoder: PublishDecoder,
    publisher: Subscriber,
    refusal: Refusal = Refusal.None,
  ): Publication {
    const { publication } = this;
    const { message } = decoder;
    const result = this.#topics.resultOf(entry);
    const isSole = result.receivers.length + result.groups.length === 1;
    publication.begin(message);
    this.encoder.beginReceived(message, decoder.frameStart, decoder.frameEnd, decoder.hasPropertySection, isSole);
    this.#isRouting = true;
    try {
      this.#deliver(entry, result, publication, publisher, refusal);
    } finally {
      this.#isRouting = false;
    }
    if (this.#waiting.length > 0 && !this.#isPutOff) this.#routeWaitingAfter(publication);
    return publication;
  }

  /** A message on this topic would have to be stored, as far as can be told without choosing members of groups. */
  isStoredFor(entry: TopicEntry): boolean {
    const { receivers, groups } = this.#topics.resultOf(entry);
    if (this.#sink !== null && entry.routesOf(this.#sink) !== null) return true;
    return groups.length > 0 || receivers.some(({ qos, streams }) => qos > 0 && streams !== null);
  }

  /** A message of QoS 1 or 2 on this topic would wait for somebody who is behind, as far as can be told beforehand. */
  isWaitedFor(entry: TopicEntry): boolean {
    const { receivers, groups } = this.#topics.resultOf(entry);
    const isBehind = ({ qos, streams }: DeliveryOptions): boolean =>
      qos > 0 && streams !== null && streams.some(({ hasReaders }) => hasReaders);
    return receivers.some(isBehind) || groups.some((group) => [...group.members()].every(isBehind));
  }

  /**
   * Routes a message of the broker's own: a will, `$SYS`, the in-process API. It must be safe to keep.
   * @param onRouted called when it has been routed, which may be in a later turn
   */
  route(message: Message, onRouted: (() => void) | null = null): void {
    this.#waiting.push({ message, onRouted });
    if (!this.#isRouting && !this.#isPutOff) this.#routeWaiting();
  }

  /** Sends a message that is already kept to one subscriber: retained messages. Must not be called while routing. */
  sendTo(subscriber: Subscriber, message: Message, options: DeliveryOptions, nowMs: number): void {
    this.publication.beginKept(message);
    // [MQTT-3.3.2-6]
    this.encoder.begin(message, message.expiresAtMs === 0 ? -1 : message.remainingExpirySeconds(nowMs));
    this.#recorder.begin(message);
    subscriber.deliver(options, this.publication);
    this.#recorder.finish(message);
  }

  #routeWaiting(): void {
    let left = DELIVERIES_PER_TURN;
    while (this.#nextWaiting < this.#waiting.length) {
      if (left <= 0) {
        this.#putOff();
        return;
      }
      const { message, onRouted } = this.#waiting[this.#nextWaiting++] as WaitingMessage;
      left -= 1 + this.#routeOne(message);
      onRouted?.();
    }
    this.#waiting = [];
    this.#nextWaiting = 0;
  }

  #putOff(): void {
    this.#waiting = this.#waiting.slice(this.#nextWaiting);
    this.#nextWaiting = 0;
    this.#isPutOff = true;
    setImmediate(() => {
      this.#isPutOff = false;
      this.#routeWaiting();
    });
  }

  /** @returns how many it went to */
  #routeOne(message: Message): number {
    const { publication } = this;
    publication.beginKept(message);
    this.encoder.begin(message);
    this.#isRouting = true;
    try {
      const entry = this.#topics.entry(message.topic);
      this.#deliver(entry, this.#topics.resultOf(entry), publication, null, Refusal.None);
    } finally {
      this.#isRouting = false;
    }
    return publication.receivers;
  }

  // The caller still has to answer for the first publication.
  #routeWaitingAfter(publication: Publication): void {
    const { ticket, receivers, isRetainRefused, isRefused, refusalCode, congested } = publication;
    this.#routeWaiting();
    publication.ticket = ticket;
    publication.receivers = receivers;
    publication.isRetainRefused = isRetainRefused;
    publication.isRefused = isRefused;
    publication.refusalCode = refusalCode;
    publication.congested = congested;
  }

  // Section 3.1.2.11.4: what is too large for one member goes to another one that can be sent it.
  readonly #readinessOf = (member: Receiver<Subscriber>): Readiness => {
    const { subscriber } = member;
    return subscriber.takes(this.publication.message, member) ? subscriber.readiness : Readiness.Gone;
  };

  #deliver(
    entry: TopicEntry,
    result: MatchResult<Subscriber>,
    publication: Publication,
    publisher: Subscriber | null,
    refusal: Refusal,
  ): void {
    // What is put into a work queue is work: nobody would ever be sent it as a retained message.
    const isRetained = publication.message.retain && !isQueueTopic(entry.topic);
    if (isRetained && refusal === Refusal.Tell && !this.#retained.admits(publication.message)) {
      // Before anybody gets it: a publisher that is told 0x97 may send it again, and at QoS 2 too that is a new message.
      // Who cannot be told (QoS 0, MQTT 3, a will) is not to wait for room that may never come: the message goes to its
      // subscribers, is not retained, and that is counted.
      publication.isRetainRefused = true;
      return;
    }
    // First of all: what queues make room for takes a number in the log, and sessions note the publication's own.
    const routes = this.#routesOf(entry);
    if (routes !== null && !routes.admit(publication, refusal)) {
      publication.isRefused = true;
      return;
    }
    if (isRetained) this.#retained.store(publication);
    this.#recorder.begin(publication.message);
    const { receivers, groups } = result;
    for (let i = 0; i < receivers.length; i++) {
      const receiver = receivers[i] as (typeof receivers)[number];
      const { subscriber } = receiver;
      if (subscriber !== publisher) subscriber.deliver(receiver, publication);
      else if (receiver.own !== null) subscriber.deliver(receiver.own, publication); // [MQTT-3.8.3-3]
    }
    for (const group of groups) {
      const member = group.choose(this.#readinessOf, publication.message.qos);
      if (member === undefined) this.#drops.count('no-group-member');
      else member.subscriber.deliver(member, publication);
    }
    const ticket =
      routes === null || routes.entries.length === 0
        ? this.#recorder.finish(publication.message)
        : this.#record(publication, routes);
    if (ticket > publication.ticket) publication.ticket = ticket;
    if (publication.receivers === 0) this.#metrics.publishesUnmatched++;
  }

  #routesOf(entry: TopicEntry): SinkRoutes | null {
    const routes = this.#sink === null ? null : entry.routesOf(this.#sink);
    if (routes === null || this.#isStorable(entry.topic)) return routes;
    // Of QoS 0, or nobody's who could wait: whatever else would have to be stored has been refused already.
    this.#drops.count('storage-unavailable');
    return null;
  }

  #record(publication: Publication, routes: SinkRoutes): Ticket {
    const { sequence } = this.#recorder;
    const ticket = this.#recorder.finish(publication.message, routes.entries);
    return routes.onRecorded(publication, sequence, ticket);
  }
}
