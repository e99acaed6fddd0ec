/** What survives a restart of sessions and retained messages, apart from the messages that wait in sessions. */
import type { Message, Qos } from '../core/message.js';

/** Whose session, or will, it is: what was known of the user when he connected. */
export interface StoredOwner {
  readonly username: string | null;
  readonly roles: readonly string[];
  readonly rules: readonly StoredRule[];
}

/** A rule that the user's credentials brought along. */
export interface StoredRule {
  readonly effect: 'allow' | 'deny';
  readonly action: 'publish' | 'subscribe' | 'all';
  readonly filter: string;
}

export interface StoredSession {
  readonly clientId: string;
  /** Names the session in the message log and in its state. Never used again for another session. */
  readonly number: number;
  /** Seconds after the connection's end; `0xffffffff` never. */
  readonly expirySeconds: number;
  /** 0 while connected. */
  readonly disconnectedAtMs: number;
  /** Undefined in records of earlier versions. */
  readonly owner?: StoredOwner | undefined;
  /** Stream that all its shared subscriptions had together, in formats up to 2. Read only. */
  readonly ownStreamId?: number;
}

export interface StoredSubscription {
  readonly filter: string;
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
  /** Subscription Identifier; 0 for none. */
  readonly identifier: number;
  /** Stream that it reads; 0 for none. */
  readonly streamId: number;
  /** Messages of the stream before this one were not subscribed to. */
  readonly sinceSequence: number;
  /** Of a consumer of a work queue: messages that it wants at most at one time. */
  readonly prefetch?: number;
}

export interface StoredWill {
  readonly message: Message;
  readonly delaySeconds: number;
  /** Undefined in records of earlier versions. */
  readonly owner?: StoredOwner | undefined;
}
