/**
 * Where what outlives a socket is recorded, seen from sessions and broker. Memory is the authority while the broker
 * runs; the journal is what a restart reads. Each verb records one change and returns the ticket of the commit that
 * will hold it; changes of one event-loop turn share a commit.
 */
import type { Message, Qos } from '../core/message.js';
import { NO_TICKET, type Ticket } from './ticket.js';

export interface SessionRecord {
  readonly clientId: string;
  /** Seconds after the connection's end; `0xffffffff` never. */
  readonly expirySeconds: number;
}

export interface SubscriptionRecord {
  readonly filter: string;
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
  readonly identifier: number;
}

export interface WillRecord {
  readonly message: Message;
  readonly delaySeconds: number;
}

export interface Journal {
  sessionSaved(record: SessionRecord): Ticket;
  sessionRemoved(clientId: string): Ticket;
  subscriptionSaved(clientId: string, subscription: SubscriptionRecord): Ticket;
  subscriptionRemoved(clientId: string, filter: string): Ticket;
  /** A QoS 1 or 2 message has been put into a session, in flight or queued. */
  messageQueued(clientId: string, message: Message, qos: Qos): Ticket;
  /** A QoS 2 packet identifier of a publisher is in use until released. */
  inboundIdSaved(clientId: string, packetId: number): Ticket;
  inboundIdReleased(clientId: string, packetId: number): Ticket;
  willSaved(clientId: string, will: WillRecord): Ticket;
  willRemoved(clientId: string): Ticket;
  retainedSaved(message: Message): Ticket;
  retainedRemoved(topic: string): Ticket;
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

  messageQueued(): Ticket {
    return NO_TICKET;
  }

  inboundIdSaved(): Ticket {
    return NO_TICKET;
  }

  inboundIdReleased(): Ticket {
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

  onSettled(): void {}

  async flush(): Promise<void> {}
}
