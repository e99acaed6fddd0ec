/** SUBSCRIBE and UNSUBSCRIBE (sections 3.8 to 3.11), applied to a session. */
import type { SubscribePacket, SubscriptionRequest, UnsubscribePacket } from '../codec/control-packet.js';
import { ReasonCode } from '../core/reason-code.js';
import type { Subscriber } from '../core/subscriber.js';
import { NO_STREAMS } from '../sessions/outgoing-messages.js';
import type { Session } from '../sessions/session.js';
import { NO_TICKET, type Ticket } from '../store/ticket.js';
import { isQueueTopic } from '../topics/queue-topic.js';
import { makeSubscription, type Subscription } from '../topics/subscription.js';
import { InvalidFilter, knownFilter, parseTopicFilter } from '../topics/topic-filter.js';
import type { BrokerContext } from './broker-context.js';
import type { QueueConsumers } from './queue-consumers.js';
import { RetainedReplay } from './retained-replay.js';
import type { SessionAccess } from './session-access.js';

export interface SubscribeResult {
  /** One for each filter, in their order [MQTT-3.9.3-1]. */
  readonly reasonCodes: number[];
  /** What SUBACK waits for. */
  readonly ticket: Ticket;
  /** Retained messages to send after SUBACK. */
  readonly replays: RetainedReplay[];
}

/**
 * @param consumers what the client takes from work queues, null if there are none
 * @param access what the client may do, null if that is everything
 */
export function subscribe(
  context: BrokerContext,
  session: Session,
  packet: SubscribePacket,
  consumers: QueueConsumers | null,
  access: SessionAccess | null,
): SubscribeResult {
  const reasonCodes: number[] = [];
  const replays: RetainedReplay[] = [];
  let ticket = NO_TICKET;
  // [MQTT-3.8.4-5] several filters are treated as several SUBSCRIBEs
  for (const request of packet.subscriptions) {
    if (isQueueTopic(request.filter)) {
      const outcome = subscribeToQueue(context, session, packet, request, consumers);
      reasonCodes.push(outcome.reasonCode);
      ticket = Math.max(ticket, outcome.ticket);
      continue;
    }
    const filter = parseTopicFilter(
      request.filter,
      context.limits.maximumTopicLevels,
      context.limits.maximumTopicLength,
    );
    // Consumers of a work queue share it as it is.
    if (filter instanceof InvalidFilter || (filter.shareName !== undefined && isQueueTopic(filter.path))) {
      reasonCodes.push(ReasonCode.TopicFilterInvalid);
      continue;
    }
    if (access !== null && !access.admits(filter.path)) {
      const { clientId } = session;
      const keptBack = context.notices.offer('unauthorized subscribe');
      if (keptBack !== null) {
        context.logger.info(
          { clientId, filter: request.filter, keptBack },
          'a client subscribes to what it may not have',
        );
      }
      reasonCodes.push(ReasonCode.NotAuthorized);
      continue;
    }
    const known = context.topics.find(session, filter);
    const isKnown = known !== undefined;
    if (!isKnown && !hasRoomFor(context, session, request.filter)) {
      reasonCodes.push(ReasonCode.QuotaExceeded);
      continue;
    }
    const { qos, noLocal, retainAsPublished } = request;
    const identifier = packet.subscriptionIdentifier;
    const stream = session.joinStream(request.filter, qos, filter.shareName !== undefined, known?.stream ?? null);
    const sinceSequence =
      stream !== null && known?.stream === stream ? known.sinceSequence : context.store.log.nextSequence;
    const subscription = makeSubscription<Subscriber>({
      subscriber: session,
      filter,
      qos,
      noLocal,
      retainAsPublished,
      identifier,
      stream,
      sinceSequence,
    });
    context.topics.subscribe(subscription); // [MQTT-3.8.4-3]
    session.subscriptionList.add(subscription, known);
    session.onSubscribed(stream);
    if (session.isKept) {
      const record = { ...request, identifier, streamId: stream?.id ?? 0, sinceSequence };
      ticket = session.saveSubscription(record);
    }
    if (wantsRetained(request, filter.shareName !== undefined, isKnown) && context.retained.mayMatch(filter)) {
      replays.push(replayOf(context, session, subscription));
    }
    reasonCodes.push(qos);
    context.events.tell('subscribed', { clientId: session.clientId, filter: request.filter, qos });
  }
  return { reasonCodes, ticket, replays };
}

export function unsubscribe(
  context: BrokerContext,
  session: Session,
  packet: UnsubscribePacket,
  consumers: QueueConsumers | null,
): { reasonCodes: number[]; ticket: Ticket } {
  let ticket = NO_TICKET;
  const removed: Subscription<Subscriber>[] = [];
  const reasonCodes = packet.filters.map((filter) => {
    if (isQueueTopic(filter)) {
      const isKnown = unsubscribeFromQueue(context, session, filter, consumers);
      ticket = session.subscriptionTicket;
      return isKnown ? ReasonCode.Success : ReasonCode.NoSubscriptionExisted;
    }
    // [MQTT-3.10.4-1] compared character by character
    const subscription = context.topics.unsubscribe(session, knownFilter(filter));
    if (subscription === undefined) {
      const parsed = parseTopicFilter(filter, context.limits.maximumTopicLevels);
      // It may have been taken away on an earlier connection, and that not be stored yet.
      ticket = session.subscriptionTicket;
      return parsed instanceof InvalidFilter ? ReasonCode.TopicFilterInvalid : ReasonCode.NoSubscriptionExisted;
    }
    session.subscriptionList.delete(subscription);
    removed.push(subscription);
    ticket = session.forgetSubscription(filter);
    context.events.tell('unsubscribed', { clientId: session.clientId, filter });
    return ReasonCode.Success;
  });
  session.onUnsubscribed(removed);
  return { reasonCodes, ticket };
}

/** A consumer of a work queue has no stream, and no retained messages; No Local and Retain As Published mean nothing to it. */
function subscribeToQueue(
  context: BrokerContext,
  session: Session,
  packet: SubscribePacket,
  request: SubscriptionRequest,
  consumers: QueueConsumers | null,
): { reasonCode: ReasonCode; ticket: Ticket } {
  const { filter, qos } = request;
  const { subscriptionIdentifier: identifier } = packet;
  const isKnown = session.queueSubscriptions?.has(filter) === true;
  if (!isKnown && !hasRoomFor(context, session, filter))
    return { reasonCode: ReasonCode.QuotaExceeded, ticket: NO_TICKET };
  const prefetch = wantedPrefetch(packet);
  const reasonCode = consumers?.subscribe({ filter, qos, identifier, prefetch }) ?? ReasonCode.TopicFilterInvalid;
  if (reasonCode >= 0x80) return { reasonCode, ticket: NO_TICKET };
  const record = { ...request, identifier, streamId: 0, sinceSequence: 0, ...(prefetch === 0 ? {} : { prefetch }) };
  session.subscriptionList.addQueue(record);
  const ticket = session.saveSubscription(record);
  context.events.tell('subscribed', { clientId: session.clientId, filter, qos: qos === 0 ? 0 : 1 });
  return { reasonCode, ticket };
}

/** The User Property `prefetch` of SUBSCRIBE. @returns 0 if there is none, or it is no number */
function wantedPrefetch({ userProperties }: SubscribePacket): number {
  const prefetch = Number(userProperties.find(([name]) => name === 'prefetch')?.[1] ?? 0);
  return Number.isSafeInteger(prefetch) && prefetch > 0 ? prefetch : 0;
}

function unsubscribeFromQueue(
  context: BrokerContext,
  session: Session,
  filter: string,
  consumers: QueueConsumers | null,
): boolean {
  if (!session.subscriptionList.deleteQueue(filter)) return false;
  consumers?.unsubscribe(filter);
  session.forgetSubscription(filter);
  context.events.tell('unsubscribed', { clientId: session.clientId, filter });
  return true;
}

function hasRoomFor(context: BrokerContext, session: Session, filter: string): boolean {
  const { maximumSubscriptionsPerSession, maximumSubscriptionBytesPerSession } = context.limits;
  return session.subscriptionList.hasRoomFor(
    filter,
    maximumSubscriptionsPerSession,
    maximumSubscriptionBytesPerSession,
  );
}

function wantsRetained(request: SubscriptionRequest, isShared: boolean, isKnown: boolean): boolean {
  // Section 4.8.2: a shared subscription brings no retained messages.
  if (isShared) return false;
  if (request.retainHandling === 1) return !isKnown; // [MQTT-3.3.1-10]
  return request.retainHandling === 0; // [MQTT-3.3.1-9] [MQTT-3.3.1-11]
}

/** What a subscription brings of retained messages. */
export function replayOf(
  context: BrokerContext,
  session: Session,
  subscription: Subscription<Subscriber>,
): RetainedReplay {
  const { filter, topicFilter, qos, identifiers, noLocal } = subscription;
  return new RetainedReplay(
    filter,
    context.retained.search(topicFilter),
    { qos, retainAsPublished: true, identifiers, streams: NO_STREAMS },
    noLocal ? session.clientId : undefined,
  );
}
