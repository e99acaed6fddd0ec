/**
 * How a message that has waited is delivered, by the subscriptions as they are when its turn comes. All ordinary
 * subscriptions that bring it make one copy; each shared subscription makes a copy of its own.
 */
import type { Message, Qos } from '../core/message.js';
import type { Subscriber } from '../core/subscriber.js';
import { matchesTopic } from '../topics/filter-match.js';
import type { Subscription } from '../topics/subscription.js';
import type { TakenMessage } from './backlog.js';
import type { MergeSource } from './stream-merge.js';
import type { Subscriptions } from './subscription-list.js';

/** A stream that the session reads, by the subscription for which it does. */
export interface SubscribedSource extends MergeSource {
  readonly subscription: Subscription<Subscriber>;
}

/** What of the session the copy depends on. */
export interface CopyOwner {
  readonly clientId: string;
  readonly subscriptions: Subscriptions;
  /** The client that takes the messages knows of Retain As Published, which the one that subscribed may have asked for. */
  readonly knowsRetainAsPublished: boolean;
  /** Whether the client may be sent messages of this topic, by what it has subscribed to. */
  mayReceive(topic: string): boolean;
}

/**
 * The copy that the ordinary ones among `sources` bring.
 * @returns false if none does: the message is the session's own [MQTT-3.8.3-3]
 */
export function fillOrdinary(
  taken: TakenMessage,
  message: Message,
  sources: readonly SubscribedSource[],
  owner: CopyOwner,
): boolean {
  let granted = -1;
  let asPublished = false;
  let identifiers: number[] | null = null;
  for (const { stream, subscription } of sources) {
    if (stream.isExclusive || (subscription.noLocal && message.publisherId === owner.clientId)) continue;
    granted = Math.max(granted, subscription.qos);
    asPublished ||= subscription.retainAsPublished;
    if (subscription.identifier !== 0) identifiers = [...(identifiers ?? []), subscription.identifier];
  }
  if (granted === -1) return false;
  taken.qos = Math.min(message.qos, granted) as Qos;
  taken.retain = message.retain && asPublished && owner.knowsRetainAsPublished;
  taken.identifiers = withUnloggedIdentifiers(message, identifiers, owner);
  return true;
}

/** [MQTT-3.3.4-4] Subscriptions at QoS 0 overlap too, but have no stream. */
function withUnloggedIdentifiers(
  message: Message,
  identifiers: number[] | null,
  { subscriptions, clientId }: CopyOwner,
): readonly number[] | null {
  let all = identifiers;
  if (subscriptions.size === 1) return all;
  for (let at = 0; at < subscriptions.size; at++) {
    const subscription = subscriptions.at(at);
    if (subscription.stream !== null || subscription.identifier === 0) continue;
    if (subscription.noLocal && message.publisherId === clientId) continue; // [MQTT-3.8.3-3]
    const { shareName, path } = subscription.topicFilter;
    if (shareName === undefined && matchesTopic(path, message.topic)) all = [...(all ?? []), subscription.identifier];
  }
  return all;
}

/** The copy that a group has given to the session: with what was granted to this member [MQTT-4.8.2-3], and no more. */
export function fillShared(
  taken: TakenMessage,
  message: Message,
  { qos, retainAsPublished, identifier }: Subscription<Subscriber>,
  owner: CopyOwner,
): void {
  taken.qos = Math.min(message.qos, qos) as Qos;
  taken.retain = message.retain && retainAsPublished && owner.knowsRetainAsPublished;
  taken.identifiers = identifier === 0 ? null : [identifier];
}
