/**
 * The messages that wait for one session, in order. Bounded in messages and in bytes; who offers to a full queue is told
 * so and decides. The memory implementation holds the messages themselves.
 */
import type { Message, Qos } from '../core/message.js';

export interface QueuedMessage {
  readonly message: Message;
  /** The QoS to deliver at. */
  readonly qos: Qos;
  /** RETAIN to deliver with. */
  readonly retain: boolean;
  readonly identifiers: readonly number[] | null;
}

export interface MessageQueue {
  readonly length: number;
  /** Bytes of content that wait. */
  readonly bytes: number;
  /** A message with more bytes of content than this is refused however empty the queue is. */
  readonly maximumBytes: number;
  /** Adds at the end. @returns false if that would pass a limit; nothing has changed then */
  offer(entry: QueuedMessage): boolean;
  /** Takes the oldest. */
  take(): QueuedMessage | undefined;
  /** Drops everything. @returns how many there were */
  clear(): number;
}
