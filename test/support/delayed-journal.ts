/** A Journal that gives out tickets and settles them when the test says so; it remembers what was recorded. */
import type { Message } from '../../src/core/message.js';
import type { StoredSession, StoredSubscription, StoredWill } from '../../src/store/catalogue-records.js';
import type { Journal, StateSource } from '../../src/store/journal.js';
import { NO_TICKET, type Ticket } from '../../src/store/ticket.js';

export interface JournalEntry {
  readonly ticket: Ticket;
  readonly verb: string;
  readonly subject: string;
}

export class DelayedJournal implements Journal {
  readonly entries: JournalEntry[] = [];
  /** Whose state has changed, each time. */
  readonly states: StateSource[] = [];
  #lastTicket = 0;
  #settledTicket = 0;
  #listener: () => void = () => {};
  #waiter: { entries: number; resolve: () => void } | null = null;
  #flushes: (() => void)[] = [];
  readonly #isHeld: boolean;

  /** @param isHeld false settles everything at once, for tests that only look at what is recorded */
  constructor(isHeld = true) {
    this.#isHeld = isHeld;
  }

  get settledTicket(): Ticket {
    return this.#settledTicket;
  }

  get lastTicket(): Ticket {
    return this.#lastTicket;
  }

  onSettled(listener: () => void): void {
    this.#listener = listener;
  }

  /** Settles every ticket up to `ticket`. */
  settle(ticket: Ticket = this.#lastTicket): void {
    this.#settledTicket = Math.max(this.#settledTicket, ticket);
    this.#listener();
    if (this.#settledTicket < this.#lastTicket) return;
    for (const resolve of this.#flushes.splice(0)) resolve();
  }

  /** Resolves once that many changes have been recorded in all. */
  async recorded(entries: number): Promise<void> {
    if (this.entries.length >= entries) return;
    await new Promise<void>((resolve) => {
      this.#waiter = { entries, resolve };
    });
  }

  verbs(): string[] {
    return this.entries.map((entry) => `${entry.verb} ${entry.subject}`);
  }

  flush(): Promise<void> {
    if (this.#settledTicket >= this.#lastTicket) return Promise.resolve();
    return new Promise((resolve) => this.#flushes.push(resolve));
  }

  sessionSaved(session: StoredSession): Ticket {
    return this.record('sessionSaved', `${session.clientId} ${session.expirySeconds}`);
  }

  sessionRemoved(session: Pick<StoredSession, 'clientId'>): Ticket {
    return this.record('sessionRemoved', session.clientId);
  }

  subscriptionSaved(clientId: string, subscription: StoredSubscription): Ticket {
    return this.record('subscriptionSaved', `${clientId} ${subscription.filter}`);
  }

  subscriptionRemoved(clientId: string, filter: string): Ticket {
    return this.record('subscriptionRemoved', `${clientId} ${filter}`);
  }

  willSaved(clientId: string, will: StoredWill): Ticket {
    return this.record('willSaved', `${clientId} ${will.message.topic}`);
  }

  willRemoved(clientId: string): Ticket {
    return this.record('willRemoved', clientId);
  }

  retainedSaved(message: Message): Ticket {
    return this.record('retainedSaved', message.topic);
  }

  retainedRemoved(topic: string): Ticket {
    return this.record('retainedRemoved', topic);
  }

  queueSaved(number: number): Ticket {
    return this.record('queueSaved', String(number));
  }

  queueRemoved(number: number): Ticket {
    return this.record('queueRemoved', String(number));
  }

  queueChunkSaved(queue: number, chunk: number): Ticket {
    return this.record('queueChunkSaved', `${queue} ${chunk}`);
  }

  queueChunksRemoved(queue: number, below: number): Ticket {
    return this.record('queueChunksRemoved', `${queue} ${below}`);
  }

  noteSaved(name: string): Ticket {
    return this.record('noteSaved', name);
  }

  noteRemoved(name: string): Ticket {
    return this.record('noteRemoved', name);
  }

  stateChanged(source: StateSource, isUrgent: boolean): Ticket {
    this.states.push(source);
    return isUrgent ? this.record('stateChanged', String(source.number)) : NO_TICKET;
  }

  /** Notes a change of whatever kind. */
  record(verb: string, subject: string): Ticket {
    const ticket = ++this.#lastTicket;
    this.entries.push({ ticket, verb, subject });
    if (!this.#isHeld) this.#settledTicket = ticket;
    if (this.#waiter !== null && this.entries.length >= this.#waiter.entries) {
      this.#waiter.resolve();
      this.#waiter = null;
    }
    return ticket;
  }
}
