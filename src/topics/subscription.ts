/**
 * What a session has subscribed to, as the index takes it. `S` is whoever receives: the index compares subscribers by
 * identity and asks nothing else of them.
 */
import type { Qos } from '../core/message.js';
import type { MessageStream } from '../core/message-stream.js';
import type { TopicFilter } from './topic-filter.js';

export interface Subscription<S> {
  readonly subscriber: S;
  readonly filter: TopicFilter;
  /** Highest QoS that the subscriber gets through this subscription. */
  readonly qos: Qos;
  /** The subscriber's own messages do not come back through this subscription. Not allowed, and ignored, on a shared one. */
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** Which retained messages SUBSCRIBE brings: 0 all, 1 only for a new subscription, 2 none. Not used for matching. */
  readonly retainHandling: 0 | 1 | 2;
  /** Subscription Identifier, 0 for none. */
  readonly identifier: number;
  /** Where its messages wait, if the session is kept and the subscription asks for QoS 1 or 2, or did when it was made. */
  readonly stream: MessageStream | null;
  /** Messages with this number in the log and later ones belong to it. */
  readonly sinceSequence: number;
}
