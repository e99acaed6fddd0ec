/** What every Journal does, whatever it writes to. */
import { describe, expect, it } from 'vitest';
import type { Journal, StateSource } from '../../src/store/journal.js';
import { NO_TICKET, type Ticket } from '../../src/store/ticket.js';
import { testMessage } from '../support/test-message.js';

export interface JournalFactory {
  /** A fresh journal. */
  open(): Journal | Promise<Journal>;
}

export interface DurableJournal {
  readonly journal: Journal;
  /** What the process after a crash loads. */
  loadAfterCrash(): Promise<readonly string[]>;
}

export interface DurableJournalFactory {
  open(): Promise<DurableJournal>;
}

const SESSION = { clientId: 'c', number: 1, expirySeconds: 10, disconnectedAtMs: 0 };
const SUBSCRIPTION = {
  filter: 't',
  qos: 1,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0,
  identifier: 0,
  streamId: 1,
  sinceSequence: 1,
} as const;

/** A state that changes without end, and notes how often it was asked for. */
class CountingState implements StateSource {
  readonly number = 1;
  readonly isWorthStoring = true;
  encodings = 0;

  encodeState(): Buffer {
    return Buffer.from([++this.encodings]);
  }
}

/** One change by each verb that can be waited for. */
function recordEverything(journal: Journal): Ticket[] {
  const message = testMessage({ retain: true });
  return [
    journal.sessionSaved(SESSION),
    journal.subscriptionSaved('c', SUBSCRIPTION),
    journal.stateChanged(new CountingState(), true),
    journal.willSaved('c', { message, delaySeconds: 5 }),
    journal.willRemoved('c'),
    journal.retainedSaved(message),
    journal.retainedRemoved(message.topic),
    journal.subscriptionRemoved('c', 't'),
    journal.sessionRemoved(SESSION, ['t']),
    journal.queueSaved(1, Buffer.from([1])),
    journal.queueChunkSaved(1, 1, Buffer.from([1])),
    journal.noteSaved('a/b', Buffer.from([1])),
    journal.noteRemoved('a/c'),
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
      journal.sessionRemoved({ ...SESSION, clientId: 'nobody', number: 99 }, []);
      journal.subscriptionRemoved('nobody', 't');
      journal.willRemoved('nobody');
      journal.retainedRemoved('nothing');
      journal.queueChunksRemoved(99, 5);
      journal.queueRemoved(99);
      await journal.flush();
    });

    it('asks for a state once a commit at most, however often it changes', async () => {
      const journal = await open();
      const state = new CountingState();
      for (let i = 0; i < 100; i++) journal.stateChanged(state, i % 2 === 0);
      await journal.flush();
      expect(state.encodings).toBeLessThanOrEqual(1);
    });

    it('makes nobody wait for a state that is not urgent', async () => {
      const journal = await open();
      expect(journal.stateChanged(new CountingState(), false)).toBe(NO_TICKET);
      await journal.flush();
    });

    it('takes a state that is gone by the time it is asked for', async () => {
      const journal = await open();
      journal.stateChanged({ number: 1, isWorthStoring: true, encodeState: () => null }, true);
      await journal.flush();
    });
  });
}

/** What a journal does beside that if it outlives the process. Each record is told in a few words, in the order of loading. */
export function describeDurableJournal(name: string, { open }: DurableJournalFactory): void {
  const will = { message: testMessage({ topic: 'w' }), delaySeconds: 5 };
  const everything = ['session c 1', 'state 1 01', 'subscription c t', 'will c w', 'retained r'];

  function recordOneOfEach(journal: Journal): void {
    journal.sessionSaved(SESSION);
    journal.subscriptionSaved('c', SUBSCRIPTION);
    journal.stateChanged(new CountingState(), true);
    journal.willSaved('c', will);
    journal.retainedSaved(testMessage({ topic: 'r', payload: 'x', retain: true }));
  }

  describe(`durable Journal: ${name}`, () => {
    it('has after a crash what was settled, all sessions first', async () => {
      const { journal, loadAfterCrash } = await open();
      recordOneOfEach(journal);
      await journal.flush();
      expect(await loadAfterCrash()).toEqual(everything);
    });

    it('has nothing left of what was removed, and the will of a session until it is removed too', async () => {
      const { journal, loadAfterCrash } = await open();
      recordOneOfEach(journal);
      await journal.flush();
      journal.sessionRemoved(SESSION, ['t']);
      journal.retainedRemoved('r');
      await journal.flush();
      expect(await loadAfterCrash()).toEqual(['will c w']);
      journal.willRemoved('c');
      await journal.flush();
      expect(await loadAfterCrash()).toEqual([]);
    });

    it('has the last of what was saved several times, in one commit or in many', async () => {
      const { journal, loadAfterCrash } = await open();
      for (const number of [5, 6, 7]) journal.sessionSaved({ ...SESSION, number });
      for (const topic of ['first', 'second']) journal.willSaved('c', { ...will, message: testMessage({ topic }) });
      await journal.flush();
      journal.sessionSaved({ ...SESSION, number: 8 });
      await journal.flush();
      expect(await loadAfterCrash()).toEqual(['session c 8', 'will c second']);
    });

    it('stores a state that nobody waits for when it is flushed', async () => {
      const { journal, loadAfterCrash } = await open();
      journal.stateChanged({ number: 3, isWorthStoring: false, encodeState: () => Buffer.from([9]) }, false);
      await journal.flush();
      expect(await loadAfterCrash()).toEqual(['state 3 09']);
    });

    it('has each queue as it was saved last, and then the chunks that it still has, in order', async () => {
      const { journal, loadAfterCrash } = await open();
      journal.queueSaved(2, Buffer.from([1]));
      journal.queueSaved(300, Buffer.from([3]));
      journal.queueSaved(2, Buffer.from([2]));
      for (const chunk of [1, 2, 9, 10, 300]) journal.queueChunkSaved(2, chunk, Buffer.from([chunk & 0xff]));
      journal.queueChunkSaved(300, 1, Buffer.from([7]));
      await journal.flush();
      journal.queueChunksRemoved(2, 9);
      journal.queueChunkSaved(2, 300, Buffer.from([5]));
      await journal.flush();
      const chunks = ['chunk 2 9 09', 'chunk 2 10 0a', 'chunk 2 300 05', 'chunk 300 1 07'];
      expect(await loadAfterCrash()).toEqual(['queue 2 02', 'queue 300 03', ...chunks]);
    });

    it('has the notes that were saved and not removed', async () => {
      const { journal, loadAfterCrash } = await open();
      journal.noteSaved('ban/client/a:b', Buffer.from([1]));
      journal.noteSaved('ban/client/c', Buffer.from([2]));
      journal.noteSaved('ban/client/a:b', Buffer.from([3]));
      await journal.flush();
      journal.noteRemoved('ban/client/c');
      await journal.flush();
      expect(await loadAfterCrash()).toEqual(['note ban/client/a:b 03']);
    });

    it('has nothing left of a queue that was removed', async () => {
      const { journal, loadAfterCrash } = await open();
      journal.queueSaved(1, Buffer.from([1]));
      journal.queueSaved(2, Buffer.from([2]));
      for (const queue of [1, 2])
        for (const chunk of [1, 2]) journal.queueChunkSaved(queue, chunk, Buffer.from([chunk]));
      await journal.flush();
      journal.queueRemoved(1);
      await journal.flush();
      expect(await loadAfterCrash()).toEqual(['queue 2 02', 'chunk 2 1 01', 'chunk 2 2 02']);
    });
  });
}
