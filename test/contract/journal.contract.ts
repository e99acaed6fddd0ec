/** What every Journal does, whatever it writes to. */
import { describe, expect, it } from 'vitest';
import type { Journal } from '../../src/store/journal.js';
import type { Ticket } from '../../src/store/ticket.js';
import { testMessage } from '../support/test-message.js';

export interface JournalFactory {
  /** A fresh journal. */
  open(): Journal | Promise<Journal>;
}

/** One change by each verb. */
function recordEverything(journal: Journal): Ticket[] {
  const message = testMessage({ retain: true });
  const subscription = { filter: 't', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  return [
    journal.sessionSaved({ clientId: 'c', expirySeconds: 10 }),
    journal.subscriptionSaved('c', { ...subscription, identifier: 0 }),
    journal.messageQueued('c', message, 1),
    journal.inboundIdSaved('c', 1),
    journal.inboundIdReleased('c', 1),
    journal.willSaved('c', { message, delaySeconds: 5 }),
    journal.willRemoved('c'),
    journal.retainedSaved(message),
    journal.retainedRemoved(message.topic),
    journal.subscriptionRemoved('c', 't'),
    journal.sessionRemoved('c'),
  ];
}

export function describeJournal(name: string, { open }: JournalFactory): void {
  describe(`Journal: ${name}`, () => {
    it('gives out tickets that never go back', async () => {
      const journal = await open();
      const tickets = [...recordEverything(journal), ...recordEverything(journal)];
      for (const ticket of tickets) expect(ticket).toBeGreaterThanOrEqual(0);
      expect(tickets).toEqual([...tickets].sort((a, b) => a - b));
    });

    it('has settled everything once it is flushed', async () => {
      const journal = await open();
      const tickets = recordEverything(journal);
      await journal.flush();
      expect(journal.settledTicket).toBeGreaterThanOrEqual(Math.max(...tickets));
    });

    it('tells its listener what it settles later, and only grows', async () => {
      const journal = await open();
      const seen: Ticket[] = [];
      journal.onSettled(() => seen.push(journal.settledTicket));
      const isLate = Math.max(...recordEverything(journal)) > journal.settledTicket;
      await journal.flush();
      expect(seen.length > 0 || !isLate).toBe(true);
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
    });

    it('flushes when there is nothing to flush, and twice', async () => {
      const journal = await open();
      await journal.flush();
      recordEverything(journal);
      await Promise.all([journal.flush(), journal.flush()]);
      await journal.flush();
    });

    it('takes removals of what is not there', async () => {
      const journal = await open();
      journal.sessionRemoved('nobody');
      journal.subscriptionRemoved('nobody', 't');
      journal.willRemoved('nobody');
      journal.retainedRemoved('nothing');
      journal.inboundIdReleased('nobody', 1);
      await journal.flush();
    });
  });
}
