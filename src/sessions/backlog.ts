/**
 * What waits for one session. Two kinds: of a session that ends with its connection the messages themselves, in memory;
 * of a kept session its position in the streams that it reads.
 */
import type { Message, Qos } from '../core/message.js';
import type { MessageStream } from '../core/message-stream.js';
import type { Publication } from '../core/publication.js';

/** The message that {@link Backlog.take} has taken. Overwritten by the next one. */
export interface TakenMessage {
  /** null if its content has been lost. */
  message: Message | null;
  /** QoS to deliver at; 0 if the subscription has been lowered meanwhile. */
  qos: Qos;
  /** RETAIN to deliver with. */
  retain: boolean;
  identifiers: readonly number[] | null;
  /** Number in the message log, where the taker now holds it and must release it; NOT_LOGGED if it is not there. */
  sequence: number;
  /** It was not counted as waiting: its subscription has changed since, and brings it only now. */
  isUncounted: boolean;
}

/** `loading`: there is a message, but its content has to be read; the session is told when it can be taken. */
export type TakeOutcome = 'taken' | 'empty' | 'loading';

/** A limit of its own, where giving up the oldest makes room; or the one of all sessions together, where it need not. */
export type BacklogRefusal = 'queue-full' | 'session-queues-full';

export interface Backlog {
  /** Messages that wait. */
  readonly length: number;
  /** Bytes of their content. */
  readonly bytes: number;
  /** Messages with more bytes of content than this are refused however empty it is. */
  readonly maximumBytes: number;
  /** Why the last offer was refused. */
  readonly refusal: BacklogRefusal;
  /**
   * Adds the publication at the end.
   * @param streams that bring it
   * @returns false if that would pass a limit
   */
  offer(
    publication: Publication,
    qos: Qos,
    retain: boolean,
    identifiers: readonly number[] | null,
    streams: readonly MessageStream[],
  ): boolean;
  /** Gives up the oldest. @returns false if there was none */
  dropOldest(): boolean;
  take(): TakeOutcome;
  readonly taken: TakenMessage;
  /** Gives up everything. @returns how many there were */
  clear(): number;
}

export function emptyTakenMessage(): TakenMessage {
  return { message: null, qos: 0, retain: false, identifiers: null, sequence: 0, isUncounted: false };
}
