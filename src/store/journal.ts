/**
 * Where what outlives a socket is recorded, seen from sessions and broker. Memory is the authority while the broker
 * runs; the journal is what a restart reads. Each verb records one change and returns the ticket of the commit that
 * will hold it; changes of one event-loop turn share a commit.
 */
import type { Message } from '../core/message.js';
import type { StoredSession, StoredSubscription, StoredWill } from './catalogue-records.js';
import { NO_TICKET, type Ticket } from './ticket.js';

/** Something whose state is stored as a whole, again and again: a session's positions and windows. */
export interface StateSource {
  /** Under which it is stored. */
  readonly number: number;
  /** Enough has changed to be worth its size: asked of what nobody waits for. */
  readonly isWorthStoring: boolean;
  /** The state as it is now, or null if there is nothing to store any more. */
  encodeState(): Buffer | null;
}

export interface Journal {
  sessionSaved(session: StoredSession): Ticket;
  /** Removes the session with its state and these subscriptions; its will stays until it is removed. */
  sessionRemoved(session: StoredSession, filters: Iterable<string>): Ticket;
  subscriptionSaved(clientId: string, subscription: StoredSubscription): Ticket;
  subscriptionRemoved(clientId: string, filter: string): Ticket;
  willSaved(clientId: string, will: StoredWill): Ticket;
  willRemoved(clientId: string): Ticket;
  retainedSaved(message: Message): Ticket;
  retainedRemoved(topic: string): Ticket;
  /** @param bytes what the queue is, as queues understand it; copied */
  queueSaved(number: number, bytes: Buffer): Ticket;
  /** Removes the queue with its chunks. */
  queueRemoved(number: number): Ticket;
  /** Adds a chunk to the queue's journal, or replaces it. Later ones have larger numbers. @param bytes copied */
  queueChunkSaved(queue: number, chunk: number, bytes: Buffer): Ticket;
  /** The chunks before `below` are not needed any more. Not synced by itself: a crash may bring them back. */
  queueChunksRemoved(queue: number, below: number): Ticket;
  /** Keeps a note of another part of the broker, which alone understands it, in the place of an earlier one by that name. @param bytes copied */
  noteSaved(name: string, bytes: Buffer): Ticket;
  noteRemoved(name: string): Ticket;
  /**
   * The state of `source` has changed. It is encoded when the commit closes.
   * @param isUrgent somebody waits for it; otherwise it may be stored a little later, without a commit of its own
   * @returns the ticket of the commit that will hold it, if it is urgent
   */
  stateChanged(source: StateSource, isUrgent: boolean): Ticket;
  /** The highest ticket that is settled. */
  readonly settledTicket: Ticket;
  /** Calls `listener` each time {@link settledTicket} has grown. One listener: the broker. */
  onSettled(listener: () => void): void;
  /** Settles everything recorded so far; resolves when it is. */
  flush(): Promise<void>;
}

/** Records nothing: what a broker without a data directory uses. Every answer may be given at once. */
export class MemoryJournal implements Journal {
  readonly settledTicket: Ticket = Number.MAX_SAFE_INTEGER;

  sessionSaved(): Ticket {
    return NO_TICKET;
  }

  sessionRemoved(): Ticket {
    return NO_TICKET;
  }

  subscriptionSaved(): Ticket {
    return NO_TICKET;
  }

  subscriptionRemoved(): Ticket {
    return NO_TICKET;
  }

  willSaved(): Ticket {
    return NO_TICKET;
  }

  willRemoved(): Ticket {
    return NO_TICKET;
  }

  retainedSaved(): Ticket {
    return NO_TICKET;
  }

  retainedRemoved(): Ticket {
    return NO_TICKET;
  }

  queueSaved(): Ticket {
    return NO_TICKET;
  }

  queueRemoved(): Ticket {
    return NO_TICKET;
  }

  queueChunkSaved(): Ticket {
    return NO_TICKET;
  }

  queueChunksRemoved(): Ticket {
    return NO_TICKET;
  }

  noteSaved(): Ticket {
    return NO_TICKET;
  }

  noteRemoved(): Ticket {
    return NO_TICKET;
  }

  stateChanged(): Ticket {
    return NO_TICKET;
  }

  onSettled(): void {}

  async flush(): Promise<void> {}
}
