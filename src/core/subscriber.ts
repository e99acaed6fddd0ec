/** Who can stand behind a subscription: a session, or code within the process. */
import type { Message, Qos } from './message.js';
import type { MessageStream } from './message-stream.js';
import type { Publication } from './publication.js';

/** What a subscription (or several of one subscriber, merged) asks of a delivery. */
export interface DeliveryOptions {
  /** Highest QoS granted. */
  readonly qos: Qos;
  readonly retainAsPublished: boolean;
  /** Subscription Identifiers, or null for none. */
  readonly identifiers: readonly number[] | null;
  /**
   * The streams in which the message waits for the subscriber: those of all ordinary subscriptions that match, or the
   * exclusive one of the shared subscription by which it comes; null if there are none.
   */
  readonly streams: readonly MessageStream[] | null;
}

/** What a subscriber could do with a message right now; the smaller, the better. */
export const Readiness = {
  /** Connected, and with room. */
  Ready: 0,
  /** Connected, without room: the message would wait. */
  Full: 1,
  /** Not connected; the session is kept, and the message would wait in it. */
  Away: 2,
  /** The session has ended, or may not have this message. */
  Gone: 3,
} as const;

export type Readiness = (typeof Readiness)[keyof typeof Readiness];

export interface Subscriber {
  /** Takes the publication, at the lower of its QoS and the granted one [MQTT-3.8.4-8]. Notes its effects in it. */
  deliver(options: DeliveryOptions, publication: Publication): void;
  readonly readiness: Readiness;
  /** Whether the message is small enough to be sent to it. Asked before it is chosen among others; may not be known yet. */
  takes(message: Message, options: DeliveryOptions): boolean;
}
