/** Publishes the wills that are due (section 3.1.2.5), as far as their owners may publish them at that time. */
import { restartExpiry } from '../codec/message-builder.js';
import type { Will } from '../sessions/will.js';
import type { BrokerContext } from './broker-context.js';

export type WillContext = Pick<BrokerContext, 'access' | 'clock' | 'drops' | 'logger' | 'router' | 'sessions'>;

export class WillPublisher {
  readonly #context: WillContext;

  constructor(context: WillContext) {
    this.#context = context;
  }

  /** The will is forgotten when it has been published, or may not be. */
  publish(clientId: string, { message, owner }: Will): void {
    const { access, clock, drops, logger, router, sessions } = this.#context;
    // Its owner may have been allowed it when he connected, and not be any more.
    const client = owner === undefined ? null : access.accessOf({ ...owner, clientId });
    if (client?.mayPublish(message) === false) {
      logger.debug({ clientId, topic: message.topic }, 'will not published: its owner may not publish there');
      drops.count('not-authorized');
      sessions.forgetWill(clientId);
      return;
    }
    restartExpiry(message, clock.now());
    logger.debug({ clientId, topic: message.topic }, 'will published');
    router.route(message, () => sessions.forgetWill(clientId));
  }
}
