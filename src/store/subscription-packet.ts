/** A subscription in the form in which aedes and its persistence keep one, with our fields beside theirs. */
import type { Qos } from '../core/message.js';
import type { StoredSubscription } from './catalogue-records.js';
import type { RecordFields } from './record-fields.js';

export interface SubscriptionPacket {
  readonly topic: string;
  readonly qos: Qos;
  readonly nl: boolean;
  readonly rap: boolean;
  readonly rh: 0 | 1 | 2;
  readonly subscriptionIdentifier?: number;
  readonly streamId: number;
  readonly sinceSequence: number;
  readonly prefetch?: number;
}

export function toSubscriptionPacket(subscription: StoredSubscription): SubscriptionPacket {
  const { filter, qos, noLocal, retainAsPublished, retainHandling, identifier, streamId, sinceSequence } = subscription;
  const packet: SubscriptionPacket = {
    topic: filter,
    qos,
    nl: noLocal,
    rap: retainAsPublished,
    rh: retainHandling,
    streamId,
    sinceSequence,
    ...(subscription.prefetch === undefined ? {} : { prefetch: subscription.prefetch }),
  };
  return identifier === 0 ? packet : { ...packet, subscriptionIdentifier: identifier };
}

/** Also of one that the package has written for somebody else. @throws DamagedRecord */
export function toSubscription(fields: RecordFields): StoredSubscription {
  const prefetch = fields.integer('prefetch', 0, 0);
  return {
    filter: fields.string('topic'),
    qos: fields.upToTwo('qos'),
    noLocal: fields.boolean('nl'),
    retainAsPublished: fields.boolean('rap'),
    retainHandling: fields.upToTwo('rh'),
    identifier: fields.integer('subscriptionIdentifier', 0, 0),
    streamId: fields.integer('streamId', 0, 0),
    sinceSequence: fields.integer('sinceSequence', 0, 0),
    ...(prefetch === 0 ? {} : { prefetch }),
  };
}
