/** A subscription of code within the process: a handler instead of a session. */
import type { Logger } from 'pino';
import { decodePublishProperties, type ReceivedProperties } from '../codec/publish-properties.js';
import type { Message, Qos } from '../core/message.js';
import type { Publication } from '../core/publication.js';
import { type DeliveryOptions, Readiness, type Subscriber } from '../core/subscriber.js';

/** A message as a handler gets it. It may be held on to. */
export interface ReceivedMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  /** Client id of the publisher; empty for the broker itself. */
  readonly publisherId: string;
  readonly properties: ReceivedProperties;
}

export type MessageHandler = (message: ReceivedMessage) => void;

export class LocalSubscription implements Subscriber {
  readonly readiness = Readiness.Ready;
  readonly #handler: MessageHandler;
  readonly #logger: Logger;

  constructor(handler: MessageHandler, logger: Logger) {
    this.#handler = handler;
    this.#logger = logger;
  }

  takes(): boolean {
    return true;
  }

  deliver(options: DeliveryOptions, publication: Publication): void {
    publication.receivers++;
    const retain = options.retainAsPublished && publication.message.retain;
    this.receive(publication.keep(), retain);
  }

  /** Calls the handler. What it throws is logged: it must not disturb the publisher. */
  receive(message: Message, retain: boolean): void {
    try {
      this.#handler({
        topic: message.topic,
        payload: message.payload,
        qos: message.qos,
        retain,
        publisherId: message.publisherId,
        properties: decodePublishProperties(message),
      });
    } catch (error) {
      this.#logger.error({ err: error, topic: message.topic }, 'a message handler threw');
    }
  }
}
