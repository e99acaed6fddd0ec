/** What code within the process can listen to. Nothing is emitted per message. */
import { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import type { CloseReason } from '../core/close-reason.js';

export interface ClientInfo {
  readonly clientId: string;
  /** Null for a client that is nobody in particular. */
  readonly username: string | null;
  readonly protocolVersion: 3 | 4 | 5;
  readonly remoteAddress: string;
  readonly listener: string;
}

export interface BrokerEventMap {
  clientConnected: [client: ClientInfo & { readonly sessionPresent: boolean }];
  clientDisconnected: [client: ClientInfo & { readonly reason: CloseReason }];
  subscribed: [subscription: { readonly clientId: string; readonly filter: string; readonly qos: number }];
  unsubscribed: [subscription: { readonly clientId: string; readonly filter: string }];
  sessionEnded: [session: { readonly clientId: string }];
}

export class BrokerEvents extends EventEmitter<BrokerEventMap> {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    super();
    this.#logger = logger;
  }

  /** Somebody listens: what there is to tell need not be gathered for nobody. */
  hasListener(name: keyof BrokerEventMap): boolean {
    return this.listenerCount(name) > 0;
  }

  /** Tells the listeners. What one of them throws is logged: it must not disturb the client that it is about. */
  tell<Name extends keyof BrokerEventMap>(name: Name, ...details: BrokerEventMap[Name]): void {
    for (const listener of this.rawListeners(name)) {
      try {
        (listener as (...details: BrokerEventMap[Name]) => void).apply(this, details);
      } catch (error) {
        this.#logger.error({ err: error, event: name }, 'an event listener threw');
      }
    }
  }
}
