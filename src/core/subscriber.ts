/** Who can stand behind a subscription: a session, or code within the process. */
import type { Qos } from './message.js';
import type { Publication } from './publication.js';

/** What a subscription (or several of one subscriber, merged) asks of a delivery. */
export interface DeliveryOptions {
  /** Highest QoS granted. */
  readonly qos: Qos;
  readonly retainAsPublished: boolean;
  /** Subscription Identifiers, or null for none. */
  readonly identifiers: readonly number[] | null;
}

/** How well a member of a shared group could take a message just now. The values are an order of preference. */
export const Readiness = {
  Ready: 0,
  /** Connected, but its window or buffer is full. */
  Full: 1,
  /** Not connected; its session is kept. */
  Away: 2,
  /** Cannot take it at all. */
  Gone: 3,
} as const;

export type Readiness = (typeof Readiness)[keyof typeof Readiness];

export interface Subscriber {
  /** Takes the publication, at the lower of its QoS and the granted one [MQTT-3.8.4-8]. Notes its effects in it. */
  deliver(options: DeliveryOptions, publication: Publication): void;
  readonly readiness: Readiness;
}
