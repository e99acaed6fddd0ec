/**
 * What a session has subscribed to: one object for the session's list, for the index, and for the match results in which it
 * stands alone, since a broker may hold a million of them. `S` is whoever receives: the index compares subscribers by
 * identity and asks nothing else of them. Nothing in it changes after it has been made.
 */
import type { Qos } from '../core/message.js';
import type { MessageStream } from '../core/message-stream.js';
import { loneMatch, type MatchResult, type Subscribed } from './match-result.js';
import { Receiver } from './receiver.js';
import { knownFilter, type TopicFilter } from './topic-filter.js';

export interface SubscriptionOptions<S> {
  readonly subscriber: S;
  readonly filter: TopicFilter;
  /** Highest QoS that the subscriber gets through this subscription. */
  readonly qos: Qos;
  /** The subscriber's own messages do not come back through this subscription. Not allowed, and ignored, on a shared one. */
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
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
  /** Messages with this number in the log and later ones belong to it. */
  readonly sinceSequence: number;
  #result: MatchResult<S> | null = null;

  constructor(options: SubscriptionOptions<S>) {
    const { filter, identifier, stream } = options;
    // [MQTT-3.8.3-3] No Local: nothing of one's own comes back
    const noLocal = options.noLocal && filter.shareName === undefined;
    const identifiers = identifier === 0 ? null : [identifier];
    super(options.subscriber, options.qos, options.retainAsPublished, noLocal, identifiers, stream?.alone ?? null);
    this.filter = filter.filter;
    this.sinceSequence = options.sinceSequence;
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
