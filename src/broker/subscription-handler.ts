/** SUBSCRIBE and UNSUBSCRIBE (sections 3.8 to 3.11), applied to a session. */
import type { SubscribePacket, SubscriptionRequest, UnsubscribePacket } from '../codec/control-packet.js';
import { ReasonCode } from '../core/reason-code.js';
import type { Subscriber } from '../core/subscriber.js';
import { NO_STREAMS, type Session } from '../sessions/session.js';
import { NO_TICKET, type Ticket } from '../store/ticket.js';
import { indexBytes } from '../topics/index-bytes.js';
import type { Subscription } from '../topics/subscription.js';
import { InvalidFilter, parseTopicFilter } from '../topics/topic-filter.js';
import type { BrokerContext } from './broker-context.js';
import { RetainedReplay } from './retained-replay.js';

export interface SubscribeResult {
  /** One for each filter, in their order [MQTT-3.9.3-1]. */
  readonly reasonCodes: number[];
  /** What SUBACK waits for. */
  readonly ticket: Ticket;
  /** Retained messages to send after SUBACK. */
  readonly replays: RetainedReplay[];
}

export function subscribe(context: BrokerContext, session: Session, packet: SubscribePacket): SubscribeResult {
  const reasonCodes: number[] = [];
  const replays: RetainedReplay[] = [];
  let ticket = NO_TICKET;
  // [MQTT-3.8.4-5] several filters are treated as several SUBSCRIBEs
  for (const request of packet.subscriptions) {
    const filter = parseTopicFilter(request.filter, context.limits.maximumTopicLevels);
    if (filter instanceof InvalidFilter) {
      reasonCodes.push(ReasonCode.TopicFilterInvalid);
      continue;
    }
    const known = session.subscriptions.get(request.filter);
    const isKnown = known !== undefined;
    if (!isKnown && !hasRoomFor(context, session, request.filter)) {
      reasonCodes.push(ReasonCode.QuotaExceeded);
      continue;
    }
    const { qos, noLocal, retainAsPublished, retainHandling } = request;
    const identifier = packet.subscriptionIdentifier;
    const stream = session.joinStream(request.filter, qos, filter.shareName !== undefined);
    const sinceSequence = isKnown && known.stream === stream ? known.sinceSequence : context.store.log.nextSequence;
    const subscription: Subscription<Subscriber> = {
      subscriber: session,
      filter,
      qos,
      noLocal,
      retainAsPublished,
      retainHandling,
      identifier,
      stream,
      sinceSequence,
    };
    context.topics.subscribe(subscription); // [MQTT-3.8.4-3]
    session.subscriptions.set(request.filter, subscription);
    session.onSubscribed(stream);
    if (!isKnown) session.subscriptionBytes += memoryOf(request.filter);
    if (session.isKept) {
      const record = { ...request, identifier, streamId: stream?.id ?? 0, sinceSequence };
      session.subscriptionTicket = context.journal.subscriptionSaved(session.clientId, record);
      ticket = session.subscriptionTicket;
    }
    if (wantsRetained(request, filter.shareName !== undefined, isKnown)) {
      replays.push(replayOf(context, session, request.filter, subscription));
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
): { reasonCodes: number[]; ticket: Ticket } {
  let ticket = NO_TICKET;
  const removed: Subscription<Subscriber>[] = [];
  const reasonCodes = packet.filters.map((filter) => {
    // [MQTT-3.10.4-1] compared character by character
    const subscription = session.subscriptions.get(filter);
    if (subscription === undefined) {
      const parsed = parseTopicFilter(filter, context.limits.maximumTopicLevels);
      // It may have been taken away on an earlier connection, and that not be stored yet.
      ticket = session.subscriptionTicket;
      return parsed instanceof InvalidFilter ? ReasonCode.TopicFilterInvalid : ReasonCode.NoSubscriptionExisted;
    }
    session.subscriptions.delete(filter);
    session.subscriptionBytes -= memoryOf(filter);
    context.topics.unsubscribe(session, subscription.filter);
    removed.push(subscription);
    if (session.isKept) {
      session.subscriptionTicket = context.journal.subscriptionRemoved(session.clientId, filter);
      ticket = session.subscriptionTicket;
    }
    context.events.tell('unsubscribed', { clientId: session.clientId, filter });
    return ReasonCode.Success;
  });
  session.onUnsubscribed(removed);
  return { reasonCodes, ticket };
}

function hasRoomFor(context: BrokerContext, session: Session, filter: string): boolean {
  const { maximumSubscriptionsPerSession, maximumSubscriptionBytesPerSession } = context.limits;
  if (session.subscriptions.size >= maximumSubscriptionsPerSession) return false;
  return session.subscriptionBytes + memoryOf(filter) <= maximumSubscriptionBytesPerSession;
}

function memoryOf(filter: string): number {
  return 2 * filter.length + indexBytes(filter);
}

function wantsRetained(request: SubscriptionRequest, isShared: boolean, isKnown: boolean): boolean {
  // Section 4.8.2: a shared subscription brings no retained messages.
  if (isShared) return false;
  if (request.retainHandling === 1) return !isKnown; // [MQTT-3.3.1-10]
  return request.retainHandling === 0; // [MQTT-3.3.1-9] [MQTT-3.3.1-11]
}

/** What a subscription brings of retained messages. @param name its filter as given */
export function replayOf(
  context: BrokerContext,
  session: Session,
  name: string,
  subscription: Subscription<Subscriber>,
): RetainedReplay {
  const { filter, qos, identifier, noLocal } = subscription;
  return new RetainedReplay(
    name,
    context.retained.search(filter),
    { qos, retainAsPublished: true, identifiers: identifier === 0 ? null : [identifier], streams: NO_STREAMS },
    noLocal ? session.clientId : undefined,
  );
}
