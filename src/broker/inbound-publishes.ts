/**
 * What one client publishes (section 3.3): finds the topic, resolves aliases, keeps to Receive Maximum, sees QoS 2
 * repeats, hands the rest to the router and answers. The fast path: nothing here allocates per message.
 */
import type { ClientAccess } from '../auth/access/client-access.js';
import { PUBACK, PUBREC } from '../codec/packet-type.js';
import { readUtf8 } from '../codec/utf8.js';
import type { DropReason } from '../core/drop-reason.js';
import { MalformedPacket, ProtocolViolation } from '../core/errors.js';
import type { CongestedReceiver, Publication } from '../core/publication.js';
import { Refusal } from '../core/publish-sink.js';
import { ReasonCode } from '../core/reason-code.js';
import type { Session } from '../sessions/session.js';
import { NO_TICKET, type Ticket } from '../store/ticket.js';
import { isQueueTopic, queueOfControlTopic, queueOfTopic } from '../topics/queue-topic.js';
import { validateTopicName } from '../topics/topic-name.js';
import type { Acknowledger } from './acknowledger.js';
import { type BrokerContext, publishDecoder } from './broker-context.js';
import type { CommandOutcome, QueueConsumers } from './queue-consumers.js';
import type { RateMeter } from './rate-meter.js';
import { isReservedFrom } from './reserved-topic.js';
import type { TopicEntry } from './router.js';

const DOLLAR = 0x24;

/** The client has taken nothing. */
const NOTHING_TO_COMMAND: CommandOutcome = { reasonCode: ReasonCode.ImplementationSpecificError, ticket: NO_TICKET };

export class InboundPublishes {
  readonly #context: BrokerContext;
  readonly #session: Session;
  readonly #acknowledger: Acknowledger;
  readonly #isVersion5: boolean;
  /** QoS 2 identifiers of earlier connections: the quota starts anew with each one (section 4.9). */
  readonly #inheritedIds: number;
  /** Who is told what the client says on control topics; null while it takes from no work queue. */
  queueConsumers: QueueConsumers | null = null;
  /** What the client may do; null if that is everything. */
  access: ClientAccess | null = null;
  /** What is above it is refused; null if nothing is. */
  rate: RateMeter | null = null;
  #lastTopic: TopicEntry | null = null;
  /** By alias; ends with the connection [MQTT-3.3.2-7]. */
  #aliases: (TopicEntry | undefined)[] | null = null;

  constructor(context: BrokerContext, session: Session, acknowledger: Acknowledger, isVersion5: boolean) {
    this.#context = context;
    this.#session = session;
    this.#acknowledger = acknowledger;
    this.#isVersion5 = isVersion5;
    this.#inheritedIds = session.receivedIds;
  }

  /**
   * Handles the PUBLISH in `bytes[start, end)`.
   * @param receivedAtMs when it came in
   * @returns a receiver that the client should wait for before it publishes on, or null; if that is the storage guard's
   *   `outage` or the room in queues, nothing has been done, and the packet is to be handled again
   * @throws MalformedPacket or ProtocolViolation by the clause that is broken
   */
  handle(bytes: Buffer, start: number, bodyStart: number, end: number, receivedAtMs: number): CongestedReceiver | null {
    const session = this.#session;
    publishDecoder.decode(bytes, start, bodyStart, end, this.#isVersion5);
    const { message, packetId, expirySeconds } = publishDecoder;
    const entry = this.#topicOf(bytes);
    message.topic = entry.topic;
    message.publisherId = session.clientId;
    message.arrivedAtMs = receivedAtMs;
    message.expiresAtMs = expirySeconds === -1 ? 0 : receivedAtMs + expirySeconds * 1000;
    this.#context.metrics.publishBytesReceived += message.payloadEnd - message.payloadStart;
    if (message.qos > 0) {
      if (message.qos === 2 && session.hasReceived(packetId)) {
        // [MQTT-4.3.3-10]
        this.#acknowledger.acknowledge(session.receivedTicket, PUBREC, packetId, ReasonCode.Success);
        return null;
      }
      this.#checkReceiveMaximum();
    }
    if (this.rate !== null && !this.#isWithin(this.rate, end - start, receivedAtMs)) return null;
    if (this.access !== null && !this.access.mayPublish(entry)) {
      this.#refuseUnauthorized(entry.topic);
      return null;
    }
    if (entry.topic.charCodeAt(0) === DOLLAR && this.#handleSpecial(entry.topic)) return null;
    const { router, sessionQueues, storage } = this.#context;
    if (!storage.isAccepting && message.qos > 0 && this.#mustBeStored(entry)) return this.#refuseUnstorable();
    if (message.qos > 0 && sessionQueues.refuses(message.byteLength) && this.#isToldOfFullQueues(entry)) return null;
    const publication = router.routeReceived(entry, publishDecoder, session, this.#refusal);
    if (publication.isRetainRefused) return this.#tellQuotaExceeded();
    if (publication.isRefused) return this.#refuseUnqueued(publication);
    if (message.qos > 0) this.#acknowledge(packetId, publication);
    if (publication.ticket > 0 && storage.isCongested) return storage.pressure;
    return publication.congested;
  }

  #isWithin(rate: RateMeter, bytes: number, nowMs: number): boolean {
    const isWithin = rate.hasRoom(nowMs);
    if (isWithin) rate.spend(bytes, nowMs);
    // PUBACK and PUBREC know no code for rates (section 3.4.2.1).
    else this.#refuse('message-rate', ReasonCode.QuotaExceeded);
    return isWithin;
  }

  /** Topics below `$SYS` and `$queue`. @returns false if the message is to be routed like any other */
  #handleSpecial(topic: string): boolean {
    if (isReservedFrom(topic, this.#session.clientId)) {
      this.#refuse('not-authorized', ReasonCode.NotAuthorized);
      return true;
    }
    if (!isQueueTopic(topic)) return false;
    const controlled = queueOfControlTopic(topic);
    if (controlled !== null) this.#command(controlled);
    else if (queueOfTopic(topic) === null || this.#context.work === null) {
      this.#refuse('work-queue-missing', ReasonCode.TopicNameInvalid);
    } else return false;
    return true;
  }

  /** What the client says of a message that it took from a work queue. */
  #command(queue: string): void {
    const { message, packetId } = publishDecoder;
    const { reasonCode, ticket } = this.queueConsumers?.command(queue, message.payload) ?? NOTHING_TO_COMMAND;
    if (reasonCode >= 0x80) this.#refuse('work-command-refused', reasonCode);
    else this.#answer(packetId, ticket, reasonCode);
  }

  #acknowledge(packetId: number, { ticket, receivers }: Publication): void {
    this.#answer(packetId, ticket, receivers === 0 ? ReasonCode.NoMatchingSubscribers : ReasonCode.Success);
  }

  /** Accepts the message. Does nothing at QoS 0. */
  #answer(packetId: number, ticket: Ticket, reasonCode: ReasonCode): void {
    if (publishDecoder.message.qos === 0) return;
    if (publishDecoder.message.qos === 1) {
      this.#acknowledger.acknowledge(ticket, PUBACK, packetId, reasonCode);
      return;
    }
    const idTicket = this.#session.noteReceived(packetId);
    this.#acknowledger.acknowledge(Math.max(ticket, idTicket), PUBREC, packetId, reasonCode);
  }

  #mustBeStored(entry: TopicEntry): boolean {
    const { message } = publishDecoder;
    const { router, store } = this.#context;
    if (message.qos === 2 && this.#session.isKept) return true; // its packet identifier
    if (store.durabilityOf(entry.topic) === 'memory') return false;
    return message.retain || router.isStoredFor(entry);
  }

  /** What can be done about a message that a work queue does not take. */
  get #refusal(): Refusal {
    if (publishDecoder.message.qos === 0) return Refusal.None;
    return this.#isVersion5 ? Refusal.Tell : Refusal.Wait;
  }

  #refuseUnqueued({ refusalCode }: Publication): CongestedReceiver | null {
    if (!this.#isVersion5) return this.#context.queueRoom;
    const isMissing = refusalCode === ReasonCode.TopicNameInvalid;
    this.#refuse(isMissing ? 'work-queue-missing' : 'work-queue-full', refusalCode);
    return null;
  }

  /** MQTT 3 knows no refusal: such a publisher waits, and its packet with it. */
  #refuseUnstorable(): CongestedReceiver | null {
    if (!this.#isVersion5) return this.#context.storage.outage;
    this.#context.storage.countRefusal();
    return this.#tellQuotaExceeded();
  }

  /** Who publishes by MQTT 3 cannot be told: his message goes to those who need not wait for it. @returns true if he is told */
  #isToldOfFullQueues(entry: TopicEntry): boolean {
    const { router, sessionQueues } = this.#context;
    if (!this.#isVersion5 || !router.isWaitedFor(entry)) return false;
    sessionQueues.countRefusal();
    this.#tellQuotaExceeded();
    return true;
  }

  /** Nobody has got the message, and its packet identifier is free again [MQTT-4.3.3-4]. */
  #tellQuotaExceeded(): null {
    const { message, packetId } = publishDecoder;
    this.#acknowledger.acknowledge(0, message.qos === 1 ? PUBACK : PUBREC, packetId, ReasonCode.QuotaExceeded);
    return null;
  }

  /** The cached entry of the decoded topic. Most publishers repeat themselves: bytes are compared first. */
  #topicOf(bytes: Buffer): TopicEntry {
    const { topicStart, topicEnd } = publishDecoder.message;
    const { topicAlias } = publishDecoder;
    const last = this.#lastTopic;
    let entry: TopicEntry;
    if (topicEnd === topicStart) entry = this.#topicOfAlias(topicAlias);
    else if (last?.isIn(bytes, topicStart, topicEnd)) entry = last;
    else entry = this.#findTopic(bytes, topicStart, topicEnd);
    if (topicAlias > 0) {
      this.#setAlias(topicAlias, entry);
      publishDecoder.resolveAlias(entry.bytes);
    }
    this.#lastTopic = entry;
    return entry;
  }

  #findTopic(bytes: Buffer, start: number, end: number): TopicEntry {
    const topic = readUtf8(bytes, start, end);
    const { maximumTopicLevels, maximumTopicLength } = this.#context.limits;
    const invalid = validateTopicName(topic, maximumTopicLevels, maximumTopicLength);
    if (invalid !== undefined) throw new ProtocolViolation(ReasonCode.TopicNameInvalid, invalid);
    return this.#context.topics.entry(topic);
  }

  #topicOfAlias(topicAlias: number): TopicEntry {
    if (topicAlias === 0) {
      if (!this.#isVersion5) throw new MalformedPacket('PUBLISH has an empty topic name [MQTT-4.7.3-1]');
      throw new ProtocolViolation(ReasonCode.ProtocolError, 'PUBLISH has neither a topic name nor a Topic Alias');
    }
    const entry = this.#aliases?.[topicAlias];
    if (entry === undefined) {
      const isAbove = topicAlias > this.#context.limits.topicAliasMaximum;
      throw new ProtocolViolation(
        isAbove ? ReasonCode.TopicAliasInvalid : ReasonCode.ProtocolError,
        `Topic Alias ${topicAlias} has not been set`,
      );
    }
    return entry;
  }

  #setAlias(topicAlias: number, entry: TopicEntry): void {
    const maximum = this.#context.limits.topicAliasMaximum;
    if (topicAlias > maximum) {
      throw new ProtocolViolation(ReasonCode.TopicAliasInvalid, `Topic Alias ${topicAlias} is above ${maximum}`);
    }
    this.#aliases ??= [];
    this.#aliases[topicAlias] = entry;
  }

  // [MQTT-3.3.4-7] MQTT 3 has no such limit: its publishers are held back before they get here.
  #checkReceiveMaximum(): void {
    const ownIds = this.#session.receivedIds - this.#inheritedIds;
    const unacknowledged = ownIds + this.#acknowledger.waitingFinalCount;
    if (this.#isVersion5 && unacknowledged >= this.#context.limits.receiveMaximum) {
      throw new ProtocolViolation(ReasonCode.ReceiveMaximumExceeded, 'more unacknowledged publishes than allowed');
    }
  }

  /** What the client is not told in MQTT 3, whoever runs the broker should be able to find. */
  #refuseUnauthorized(topic: string): void {
    const { notices, logger } = this.#context;
    const keptBack = notices.offer('unauthorized publish');
    const { clientId } = this.#session;
    if (keptBack !== null) logger.info({ clientId, topic, keptBack }, 'a client publishes where it may not');
    this.#refuse('not-authorized', ReasonCode.NotAuthorized);
  }

  /** MQTT 3 has no way to say so: the message is acknowledged and goes nowhere. */
  #refuse(reason: DropReason, reasonCode: ReasonCode): void {
    const { message, packetId } = publishDecoder;
    this.#context.drops.count(reason);
    if (message.qos === 1) this.#acknowledger.acknowledge(0, PUBACK, packetId, reasonCode);
    else if (message.qos === 2) this.#acknowledger.acknowledge(0, PUBREC, packetId, reasonCode);
  }
}
