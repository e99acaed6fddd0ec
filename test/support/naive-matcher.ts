/**
 * What the specification says about matching (4.7), written as plainly as possible and sharing nothing with the broker:
 * the oracle of the property tests for subscriptions and retained messages.
 */
import type { Receiver } from '../../src/topics/receiver.js';
import type { Subscription } from '../../src/topics/subscription.js';

export function naivelyMatches(path: string, topic: string): boolean {
  if (topic.startsWith('$') && (path.startsWith('+') || path.startsWith('#'))) return false;
  const topicLevels = topic.split('/');
  const filterLevels = path.split('/');
  for (const [at, level] of filterLevels.entries()) {
    if (level === '#') return true;
    if (at >= topicLevels.length) return false;
    if (level !== '+' && level !== topicLevels[at]) return false;
  }
  return filterLevels.length === topicLevels.length;
}

export interface NaiveDelivery {
  readonly qos: number;
  readonly retainAsPublished: boolean;
  readonly identifiers: number[];
}

export interface NaiveReceiver extends NaiveDelivery {
  readonly own: NaiveDelivery | null;
}

/** All subscriptions in one list, all looked at for every topic. */
export class NaiveSubscriptions<S> {
  #subscriptions: Subscription<S>[] = [];

  get size(): number {
    return this.#subscriptions.length;
  }

  find(subscriber: S, filter: string): Subscription<S> | undefined {
    return this.#subscriptions[this.#indexOf(subscriber, filter)];
  }

  /** @returns the one that it has replaced */
  subscribe(subscription: Subscription<S>): Subscription<S> | undefined {
    const at = this.#indexOf(subscription.subscriber, subscription.filter);
    if (at === -1) this.#subscriptions.push(subscription);
    else return this.#subscriptions.splice(at, 1, subscription)[0];
    return undefined;
  }

  /** @returns the one that was there */
  unsubscribe(subscriber: S, filter: string): Subscription<S> | undefined {
    const at = this.#indexOf(subscriber, filter);
    return at === -1 ? undefined : this.#subscriptions.splice(at, 1)[0];
  }

  receivers(topic: string): Map<S, NaiveReceiver> {
    const bySubscriber = new Map<S, Subscription<S>[]>();
    for (const subscription of this.#matching(topic)) {
      if (subscription.topicFilter.shareName !== undefined) continue;
      bySubscriber.set(subscription.subscriber, [...(bySubscriber.get(subscription.subscriber) ?? []), subscription]);
    }
    return new Map(
      [...bySubscriber].map(([subscriber, all]) => {
        const own = all.filter((subscription) => !subscription.noLocal);
        return [subscriber, { ...delivery(all), own: own.length === 0 ? null : delivery(own) }];
      }),
    );
  }

  /** Members of each shared group that matches, by filter. */
  groups(topic: string): Map<string, Map<S, NaiveDelivery>> {
    const groups = new Map<string, Map<S, NaiveDelivery>>();
    for (const subscription of this.#matching(topic)) {
      if (subscription.topicFilter.shareName === undefined) continue;
      const members = groups.get(subscription.filter) ?? new Map<S, NaiveDelivery>();
      groups.set(subscription.filter, members.set(subscription.subscriber, delivery([subscription])));
    }
    return groups;
  }

  #matching(topic: string): Subscription<S>[] {
    return this.#subscriptions.filter((subscription) => naivelyMatches(subscription.topicFilter.path, topic));
  }

  #indexOf(subscriber: S, filter: string): number {
    return this.#subscriptions.findIndex((known) => known.subscriber === subscriber && known.filter === filter);
  }
}

/** A Receiver in the form in which the oracle gives its answers. */
export function plainDelivery<S>(receiver: Receiver<S>): NaiveDelivery {
  return {
    qos: receiver.qos,
    retainAsPublished: receiver.retainAsPublished,
    identifiers: [...(receiver.identifiers ?? [])].sort((a, b) => a - b),
  };
}

export function plainReceiver<S>(receiver: Receiver<S>): NaiveReceiver {
  return { ...plainDelivery(receiver), own: receiver.own === null ? null : plainDelivery(receiver.own) };
}

function delivery<S>(subscriptions: readonly Subscription<S>[]): NaiveDelivery {
  return {
    qos: Math.max(...subscriptions.map((subscription) => subscription.qos)),
    retainAsPublished: subscriptions.some((subscription) => subscription.retainAsPublished),
    identifiers: subscriptions
      .map((subscription) => subscription.identifier)
      .filter((identifier) => identifier !== 0)
      .sort((a, b) => a - b),
  };
}
