/**
 * What one client takes from work queues: its subscriptions to them, and the packet identifiers of what it has of theirs. Lives as long as
 * the connection; the subscriptions of a kept session are made again on its next one, their messages are not sent again.
 */

import type { ClientAccess } from '../auth/access/client-access.js';
import type { SubscriptionRequest } from '../codec/control-packet.js';
import { buildMessage } from '../codec/message-builder.js';
import { decodePublishProperties } from '../codec/publish-properties.js';
import type { Message } from '../core/message.js';
import { ReasonCode } from '../core/reason-code.js';
import { workEnvelope } from '../core/work-envelope.js';
import type { WorkDelivery, WorkSource } from '../core/work-source.js';
import type { Session } from '../sessions/session.js';
import { NO_TICKET, type Ticket } from '../store/ticket.js';
import { envelopeTopicOf, parseQueueFilter, type QueueFilter, topicOfQueue } from '../topics/queue-topic.js';
import type { BrokerContext } from './broker-context.js';
import { LeaseRing } from './lease-ring.js';
import type { PublishSender } from './publish-sender.js';
import { QueueLease } from './queue-lease.js';
import { QueueSubscription, type QueueSubscriptionTerms, type WorkSender } from './queue-subscription.js';
import { parseWorkCommand } from './work-command.js';
import { workProperties } from './work-facts.js';

const NO_PROPERTIES = Buffer.alloc(0);

export interface QueueSubscribeRequest extends Pick<SubscriptionRequest, 'filter' | 'qos'> {
  /** Subscription Identifier; 0 for none. */
  readonly identifier: number;
  /** Messages that the client wants at most at one time; 0 for what the queue thinks fit. */
  readonly prefetch: number;
}

/** An answer to a PUBLISH on a control topic. */
export interface CommandOutcome {
  readonly reasonCode: ReasonCode;
  /** What the answer waits for. */
  readonly ticket: Ticket;
}

export class QueueConsumers implements WorkSender {
  readonly #context: BrokerContext;
  readonly #source: WorkSource;
  readonly #session: Session;
  readonly #sender: PublishSender;
  readonly #isVersion5: boolean;
  readonly #byFilter = new Map<string, QueueSubscription>();
  /** Unsubscribed from, and not over. */
  readonly #ending = new Set<QueueSubscription>();
  readonly #leases = new LeaseRing();
  /** What the client may do; null if that is everything. */
  access: ClientAccess | null = null;

  constructor(
    context: BrokerContext,
    source: WorkSource,
    session: Session,
    sender: PublishSender,
    isVersion5: boolean,
  ) {
    this.#context = context;
    this.#source = source;
    this.#session = session;
    this.#sender = sender;
    this.#isVersion5 = isVersion5;
  }

  /** @returns the granted QoS, or why not */
  subscribe(request: QueueSubscribeRequest): ReasonCode {
    const target = parseQueueFilter(request.filter);
    if (target !== null && !this.#mayTake(target)) return ReasonCode.NotAuthorized;
    const known = this.#byFilter.get(request.filter);
    if (target === null || (known === undefined && !this.#source.has(target.queue)))
      return ReasonCode.TopicFilterInvalid;
    const terms = termsOf(request);
    if (known === undefined) this.#open(request.filter, target, terms);
    else known.setTerms(terms);
    return terms.qos;
  }

  /** Makes the subscriptions of the session that are not made, whether their queues are there at present or not. */
  resume(): void {
    for (const stored of this.#session.queueSubscriptions?.values() ?? []) {
      const target = parseQueueFilter(stored.filter);
      if (target === null || this.#byFilter.has(stored.filter) || !this.#mayTake(target)) continue;
      this.#open(stored.filter, target, termsOf({ ...stored, prefetch: stored.prefetch ?? 0 }));
    }
  }

  /**
   * Other rules are in force. From a queue that is not the client's any more it takes nothing further, and may still say what became
   * of what it has; what it takes from has been remembered by its session, in case the right comes back.
   */
  onRulesChanged(): void {
    for (const filter of [...this.#byFilter.keys()]) {
      const target = parseQueueFilter(filter);
      if (target !== null && !this.#mayTake(target)) this.unsubscribe(filter);
    }
    this.resume();
  }

  #mayTake({ queue }: QueueFilter): boolean {
    return this.access === null || this.access.mayTake(queue);
  }

  /** @returns false if there is no such subscription */
  unsubscribe(filter: string): boolean {
    const subscription = this.#byFilter.get(filter);
    if (subscription === undefined) return false;
    this.#byFilter.delete(filter);
    subscription.end();
    if (!subscription.isOver) this.#ending.add(subscription);
    return true;
  }

  /** @returns false if the message is none of a work queue */
  onPuback(packetId: number, reasonCode: number): boolean {
    const lease = this.#leases.take(packetId);
    if (lease === null) return false;
    this.#session.endLease(packetId);
    lease.owner.onAcknowledged(lease, reasonCode);
    if (this.#ending.size > 0) this.#forgetEnded();
    return true;
  }

  #forgetEnded(): void {
    for (const subscription of this.#ending) if (subscription.isOver) this.#ending.delete(subscription);
  }

  /** The client has said on a control topic what became of a message. */
  command(queue: string, payload: Buffer): CommandOutcome {
    const command = parseWorkCommand(payload);
    if (command === null) return { reasonCode: ReasonCode.PayloadFormatInvalid, ticket: NO_TICKET };
    for (const subscription of [...this.#byFilter.values(), ...this.#ending]) {
      const lease = subscription.queue === queue ? subscription.findLease(command.id) : undefined;
      if (lease === undefined) continue;
      const isDone = subscription.command(lease, command);
      const reasonCode = isDone ? ReasonCode.Success : ReasonCode.ImplementationSpecificError;
      return { reasonCode, ticket: subscription.lastTicket };
    }
    // It never was the client's, or is not any more.
    return { reasonCode: ReasonCode.ImplementationSpecificError, ticket: NO_TICKET };
  }

  /** Sends what can be sent now, and asks for more. */
  pump(): void {
    for (const subscription of this.#byFilter.values()) subscription.pump();
  }

  /** The connection is gone. @param isAbnormal the client has not said goodbye */
  close(isAbnormal: boolean): void {
    for (const subscription of [...this.#byFilter.values(), ...this.#ending]) subscription.close(isAbnormal);
    this.#byFilter.clear();
    this.#ending.clear();
    this.#leases.clear();
  }

  roomFor({ terms }: QueueSubscription): number {
    if (!this.#sender.hasRoom) return 0;
    return terms.qos === 0 ? Number.POSITIVE_INFINITY : this.#session.leaseRoom;
  }

  sendWork(subscription: QueueSubscription, delivery: WorkDelivery): QueueLease | 'sent' | 'too-large' | null {
    if (this.roomFor(subscription) <= 0) return null;
    const isLeased = subscription.terms.qos === 1;
    const packetId = isLeased ? this.#session.openLease() : 0;
    if (!this.#send(subscription, delivery, packetId)) {
      if (isLeased) this.#session.endLease(packetId);
      return 'too-large';
    }
    if (!isLeased) return 'sent';
    const lease = new QueueLease(delivery, subscription, packetId);
    this.#leases.add(lease);
    return lease;
  }

  #send(subscription: QueueSubscription, delivery: WorkDelivery, packetId: number): boolean {
    const { queue, form, topicPrefix } = subscription;
    const { identifiers } = subscription.terms;
    if (form === 'envelope') {
      return this.#sender.sendWork(this.#envelopeOf(queue, delivery), packetId, identifiers, null, null);
    }
    const properties = this.#isVersion5 ? workProperties(queue, delivery) : null;
    // What was published to the queue itself is on a topic of that kind already.
    const prefix = delivery.message.topic === topicOfQueue(queue) ? null : topicPrefix;
    return this.#sender.sendWork(delivery.message, packetId, identifiers, prefix, properties);
  }

  #envelopeOf(queue: string, delivery: WorkDelivery): Message {
    return buildMessage({
      topic: envelopeTopicOf(queue),
      payload: Buffer.from(workEnvelope(queue, delivery, decodePublishProperties(delivery.message))),
      qos: 1,
      retain: false,
      properties: NO_PROPERTIES,
      publisherId: '',
      nowMs: this.#context.clock.now(),
    });
  }

  #open(filter: string, target: QueueFilter, terms: QueueSubscriptionTerms): void {
    const { clientId } = this.#session;
    const { wheel } = this.#context;
    this.#byFilter.set(filter, new QueueSubscription(this.#source, target, terms, clientId, this, wheel));
  }
}

function termsOf({ qos, identifier, prefetch }: Omit<QueueSubscribeRequest, 'filter'>): QueueSubscriptionTerms {
  return { qos: qos === 0 ? 0 : 1, identifiers: identifier === 0 ? null : [identifier], prefetch };
}
