/**
 * How one subscriber gets a message, whatever number of its subscriptions match: a subscription by itself, or merged
 * from several. Nothing that a delivery asks for changes after it has been made.
 */
import type { Qos } from '../core/message.js';
import type { MessageStream } from '../core/message-stream.js';

const QOS_MASK = 0x03;
const RETAIN_AS_PUBLISHED = 0x04;
const NO_LOCAL = 0x08;
const TERMS_MASK = 0x0f;
const TERMS_BITS = 4;

/** How one subscriber gets a message. */
export abstract class Receiver<S> {
  readonly subscriber: S;
  /** Subscription Identifiers of all of the subscriptions that match, null if none has one. */
  abstract readonly identifiers: readonly number[] | null;
  /** Streams of all of them, null if none has one. */
  abstract readonly streams: readonly MessageStream[] | null;
  /** Terms, and above them {@link listedAt}: in one number, since there may be a million of them. */
  #packed: number;

  constructor(subscriber: S, qos: Qos, retainAsPublished: boolean, noLocal: boolean) {
    this.subscriber = subscriber;
    this.#packed = qos | (retainAsPublished ? RETAIN_AS_PUBLISHED : 0) | (noLocal ? NO_LOCAL : 0);
  }

  /** Highest QoS granted by the subscriptions that match. */
  get qos(): Qos {
    return (this.#packed & QOS_MASK) as Qos;
  }

  get retainAsPublished(): boolean {
    return (this.#packed & RETAIN_AS_PUBLISHED) !== 0;
  }

  /** The subscriber's own messages do not come by any of them. */
  get noLocal(): boolean {
    return (this.#packed & NO_LOCAL) !== 0;
  }

  /** Where the session's list has a subscription, which alone sets it. Up to 28 bits. */
  get listedAt(): number {
    return this.#packed >>> TERMS_BITS;
  }

  set listedAt(at: number) {
    this.#packed = (this.#packed & TERMS_MASK) | (at << TERMS_BITS);
  }

  /**
   * What is left for the subscriber's own messages, No Local subscriptions taken out: this Receiver itself if there are
   * none, null if nothing is left.
   */
  get own(): Receiver<S> | null {
    return this.noLocal ? null : this;
  }
}

/** Of several subscriptions. */
class MergedReceiver<S> extends Receiver<S> {
  readonly identifiers: readonly number[] | null;
  readonly streams: readonly MessageStream[] | null;
  /** undefined for this Receiver itself. */
  readonly #own: Receiver<S> | null | undefined;

  constructor(one: Receiver<S>, other: Receiver<S>) {
    const own = mergeOwn(one, other);
    super(
      one.subscriber,
      // [MQTT-3.3.4-2] the highest QoS of all that match
      Math.max(one.qos, other.qos) as Qos,
      one.retainAsPublished || other.retainAsPublished,
      own === null,
    );
    this.identifiers = concatenate(one.identifiers, other.identifiers);
    this.streams = concatenate(one.streams, other.streams);
    this.#own = own;
  }

  override get own(): Receiver<S> | null {
    return this.#own === undefined ? this : this.#own;
  }
}

/** Whether two subscriptions of one subscriber deliver alike. */
export function deliversAlike<S>(one: Receiver<S>, other: Receiver<S>): boolean {
  return (
    one.qos === other.qos &&
    one.retainAsPublished === other.retainAsPublished &&
    one.identifiers?.[0] === other.identifiers?.[0] &&
    one.streams === other.streams &&
    one.noLocal === other.noLocal
  );
}

/** One Receiver for two overlapping subscriptions, or sets of such, of one subscriber. */
export function mergeReceivers<S>(one: Receiver<S>, other: Receiver<S>): Receiver<S> {
  return new MergedReceiver(one, other);
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
