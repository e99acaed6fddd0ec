/**
 * How one subscriber gets a message, whatever number of its subscriptions match: a subscription by itself, or merged
 * from several. Nothing in it changes after it has been made.
 */
import type { Qos } from '../core/message.js';
import type { MessageStream } from '../core/message-stream.js';

/** How one subscriber gets a message. */
export class Receiver<S> {
  readonly subscriber: S;
  /** Highest QoS granted by the subscriptions that match. */
  readonly qos: Qos;
  readonly retainAsPublished: boolean;
  /** Subscription Identifiers of all of them, null if none has one. */
  readonly identifiers: readonly number[] | null;
  /** Streams of all of them, null if none has one. */
  readonly streams: readonly MessageStream[] | null;
  /**
   * What is left for the subscriber's own messages, No Local subscriptions taken out: this Receiver itself if there are
   * none, null if nothing is left.
   */
  readonly own: Receiver<S> | null;

  /** @param own undefined stands for the new Receiver itself */
  constructor(
    subscriber: S,
    qos: Qos,
    retainAsPublished: boolean,
    identifiers: readonly number[] | null,
    streams: readonly MessageStream[] | null,
    own: Receiver<S> | null | undefined,
  ) {
    this.subscriber = subscriber;
    this.qos = qos;
    this.retainAsPublished = retainAsPublished;
    this.identifiers = identifiers;
    this.streams = streams;
    this.own = own === undefined ? this : own;
  }
}

/** Whether two subscriptions of one subscriber deliver alike. */
export function deliversAlike<S>(one: Receiver<S>, other: Receiver<S>): boolean {
  return (
    one.qos === other.qos &&
    one.retainAsPublished === other.retainAsPublished &&
    one.identifiers?.[0] === other.identifiers?.[0] &&
    one.streams === other.streams &&
    (one.own === null) === (other.own === null)
  );
}

/** One Receiver for two overlapping subscriptions, or sets of such, of one subscriber. */
export function mergeReceivers<S>(one: Receiver<S>, other: Receiver<S>): Receiver<S> {
  return new Receiver(
    one.subscriber,
    // [MQTT-3.3.4-2] the highest QoS of all that match
    Math.max(one.qos, other.qos) as Qos,
    one.retainAsPublished || other.retainAsPublished,
    concatenate(one.identifiers, other.identifiers),
    concatenate(one.streams, other.streams),
    mergeOwn(one, other),
  );
}

// [MQTT-3.3.4-4] one copy carries the identifiers of all of them, an identifier that was given twice twice.
function concatenate<T>(one: readonly T[] | null, other: readonly T[] | null): readonly T[] | null {
  if (one === null) return other;
  return other === null ? one : [...one, ...other];
}

function mergeOwn<S>(one: Receiver<S>, other: Receiver<S>): Receiver<S> | null | undefined {
  if (one.own === null) return other.own;
  if (other.own === null) return one.own;
  return one.own === one && other.own === other ? undefined : mergeReceivers(one.own, other.own);
}
