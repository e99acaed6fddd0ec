/**
 * Everything that is durable, as the broker sees it: the journal of what outlives a socket, the log of messages that
 * somebody still needs, and numbers that are never given out twice. There is one in memory and one on disk.
 */
import type { DurabilityLevel } from '../core/durability.js';
import type { Message } from '../core/message.js';
import type { StoredSession, StoredSubscription, StoredWill } from './catalogue-records.js';
import type { HistoryRows } from './history-rows.js';
import type { Journal } from './journal.js';
import type { MessageLog, NumberSource } from './message-log.js';
import type { StoreHealth } from './store-health.js';

/** Takes what a restart finds; sessions come first, then the rest, each kind in one go. */
export interface StoreReceiver {
  onSession(session: StoredSession): void;
  /** @param bytes as they were encoded; may be kept */
  onState(sessionNumber: number, bytes: Buffer): void;
  onSubscription(clientId: string, subscription: StoredSubscription): void;
  onWill(clientId: string, will: StoredWill): void;
  onRetained(message: Message): void;
  /** Left out by who has no queues, as the next. @param bytes as they were saved; may be kept */
  onQueue?(number: number, bytes: Buffer): void;
  /** After all queues, in order. Chunks of a queue that is not among them are left over from damage. */
  onQueueChunk?(queue: number, chunk: number, bytes: Buffer): void;
  /** @param bytes as they were saved; may be kept */
  onNote?(name: string, bytes: Buffer): void;
}

export interface Store {
  readonly journal: Journal;
  readonly log: MessageLog;
  /** null where nothing outlives the process. */
  readonly history: HistoryRows | null;
  readonly sessionNumbers: NumberSource;
  readonly streamIds: NumberSource;
  readonly queueNumbers: NumberSource;
  /** The level of what no override names. */
  readonly durability: DurabilityLevel;
  durabilityOf(topic: string): DurabilityLevel;
  readonly health: StoreHealth;
  onHealthChanged(listener: (health: StoreHealth) => void): void;
  /** More is on its way to the disk than should be: publishers wait. */
  readonly isCongested: boolean;
  /** A commit or a read of messages is under way. */
  readonly isBusy: boolean;
  /** Hands out everything but the messages, which the log recovers afterwards. @returns records that were damaged */
  load(receiver: StoreReceiver): Promise<number>;
  /** Settles what has been recorded, and closes. */
  close(): Promise<void>;
}
