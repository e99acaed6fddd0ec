/** What survives of sessions beside their messages, as the catalogue stores it. */
import type { Message, Qos } from '../core/message.js';

export interface StoredSession {
  readonly clientId: string;
  /** The session's own; its state is stored under it. Never used again. */
  readonly number: number;
  /** Seconds after the connection's end; `0xffffffff` never. */
  readonly expirySeconds: number;
  /** When its connection ended; 0 while it is connected. */
  readonly disconnectedAtMs: number;
  /** Stream of what came to it alone; 0 if it has none. */
  readonly ownStreamId: number;
}

export interface StoredSubscription {
  readonly filter: string;
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
  /** 0 for none. */
  readonly identifier: number;
  /** Stream in which its messages wait; 0 for none. */
  readonly streamId: number;
  /** Number in the message log from which on messages belong to it. */
  readonly sinceSequence: number;
}

export interface StoredWill {
  readonly message: Message;
  /** Seconds from the connection's end to the publishing. */
  readonly delaySeconds: number;
}
