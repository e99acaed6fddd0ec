/**
 * What a session has subscribed to: one object for the session's list, for the index, and for the match results in which it
 * stands alone, since a broker may hold a million of them; those without an identifier and a stream have no room for either. `S` is
 * whoever receives: the index compares subscribers by identity and asks nothing else of them. What it delivers never changes.
 */
import type { Qos } from '../core/message.js';
import type { MessageStream } from '../core/message-stream.js';
import { loneMatch, type MatchResult, type Subscribed } from './match-result.js';
import { Receiver } from './receiver.js';
import { knownFilter, type TopicFilter } from './topic-filter.js';

export interface SubscriptionTerms<S> {
  readonly subscriber: S;
  readonly filter: TopicFilter;
  /** Highest QoS that the subscriber gets through this subscription. */
  readonly qos: Qos;
  /** The subscriber's own messages do not come back through this subscription. Not allowed, and ignored, on a shared one. */
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
}

export interface SubscriptionOptions<S> extends SubscriptionTerms<S> {
  /** Subscription Identifier, 0 for none. */
  readonly identifier: number;
  /** Where its messages wait, if the session is kept and the subscription asks for QoS 1 or 2, or did when it was made. */
  readonly stream: MessageStream | null;
  /** Messages with this number in the log and later ones belong to it. */
  readonly sinceSequence: number;
}

export class Subscription<S> extends Receiver<S> implements Subscribed<S> {
  /** As the client wrote it. */
  readonly filter: string;
  #result: MatchResult<S> | null = null;

  constructor({ subscriber, filter, qos, noLocal, retainAsPublished }: SubscriptionTerms<S>) {
    // [MQTT-3.8.3-3] No Local: nothing of one's own comes back
    super(subscriber, qos, retainAsPublished, noLocal && filter.shareName === undefined);
    this.filter = filter.filter;
  }

  get identifiers(): readonly number[] | null {
    return null;
  }

  get streams(): readonly MessageStream[] | null {
    return null;
  }

  /** Messages with this number in the log and later ones belong to it, if it has a stream. */
  get sinceSequence(): number {
    return 0;
  }

  /** What its filter consists of; taken apart anew on each call. */
  get topicFilter(): TopicFilter {
    return knownFilter(this.filter);
  }

  /** Subscription Identifier, 0 for none. */
  get identifier(): number {
    return this.identifiers?.[0] ?? 0;
  }

  /** Where its messages wait; null where they do not. */
  get stream(): MessageStream | null {
    return this.streams?.[0] ?? null;
  }

  /** What a topic gets that matches nothing else. */
  get result(): MatchResult<S> {
    this.#result ??= loneMatch(this);
    return this.#result;
  }

  find(subscriber: S): this | undefined {
    return this.subscriber === subscriber ? this : undefined;
  }
}

/** One with what most have not. */
class DetailedSubscription<S> extends Subscription<S> {
  readonly #identifiers: readonly number[] | null;
  readonly #streams: readonly MessageStream[] | null;
  readonly #sinceSequence: number;

  constructor(options: SubscriptionOptions<S>) {
    super(options);
    const { identifier, stream, sinceSequence } = options;
    this.#identifiers = identifier === 0 ? null : [identifier];
    this.#streams = stream?.alone ?? null;
    this.#sinceSequence = sinceSequence;
  }

  override get identifiers(): readonly number[] | null {
    return this.#identifiers;
  }

  override get streams(): readonly MessageStream[] | null {
    return this.#streams;
  }

  override get sinceSequence(): number {
    return this.#sinceSequence;
  }
}

export function makeSubscription<S>(options: SubscriptionOptions<S>): Subscription<S> {
  const { identifier, stream } = options;
  return identifier === 0 && stream === null ? new Subscription(options) : new DetailedSubscription(options);
}
