/** What every MessageLog does for queues, wherever its blocks lie; and what one that is durable knows after a crash. */
import { describe, expect, it } from 'vitest';
import type { MessageLog } from '../../src/store/message-log.js';
import type { RecordOutline } from '../../src/store/message-record.js';
import type { QueueEntry } from '../../src/store/queue-entry.js';
import type { QueueStates } from '../../src/store/stored-marks.js';
import { append, payloadOf, readEntryText, readPayload } from '../support/log-reading.js';
import { testMessage } from '../support/test-message.js';
import type { MessageLogFactory, OpenLog } from './message-log.contract.js';

function entriesFor(...queues: readonly number[]): QueueEntry[] {
  return queues.map((queue) => ({ queue, bytes: Buffer.from(`entry of ${queue}`) }));
}

/** States by queue and sequence number; it notes how often each was asked for. */
class StatesOfTest implements QueueStates {
  readonly states = new Map<string, string>();
  readonly asked: string[] = [];

  encodeState(queue: number, sequence: number): Uint8Array | null {
    const key = `${queue}/${sequence}`;
    this.asked.push(key);
    const state = this.states.get(key);
    return state === undefined ? null : Buffer.from(state);
  }

  set(log: MessageLog, queue: number, sequence: number, state: string | null): number {
    if (state === null) this.states.delete(`${queue}/${sequence}`);
    else this.states.set(`${queue}/${sequence}`, state);
    return log.stateChanged(queue, sequence, true);
  }
}

/** What recovery tells of the entries of each message: `queue`, `queue settled`, `queue state`. */
class Recovered {
  readonly told = new Map<number, string[]>();
  readonly #references: (sequence: number) => number;

  /** @param references those of others than queues */
  constructor(references: (sequence: number) => number = () => 0) {
    this.#references = references;
  }

  readonly referencesOf = ({ sequence, entries }: Readonly<RecordOutline>): number => {
    const told = entries.map(({ queue, isSettled, state }) =>
      isSettled ? `${queue} settled` : state === null ? `${queue}` : `${queue} ${state}`,
    );
    this.told.set(sequence, told);
    return this.#references(sequence) + entries.filter(({ isSettled }) => !isSettled).length;
  };
}

export function describeQueuesOfMessageLog(name: string, { open }: MessageLogFactory): void {
  describe(`MessageLog for queues: ${name}`, () => {
    it('hands out what is on record with a message for each of its queues', async () => {
      const opened = await open(1 << 16);
      const { log } = opened;
      const both = append(log, 'both', { references: 2, entries: entriesFor(1, 300) });
      const none = append(log, 'none');
      for (let i = 0; i < 5; i++) append(log, 'x'.repeat(70_000));
      await opened.commit();
      append(log, 'x'.repeat(70_000));
      expect(await readEntryText(log, both, 300)).toBe('entry of 300');
      expect(await readEntryText(log, both, 1)).toBe('entry of 1');
      expect(await readEntryText(log, both, 2)).toBeNull();
      expect(await readEntryText(log, none, 1)).toBeNull();
      expect(await readEntryText(log, log.nextSequence, 1)).toBeNull();
      expect(await readPayload(log, both)).toBe('both');
    });

    it('keeps a message until each queue and everybody else has done with it, in whatever order', async () => {
      const { log } = await open(1 << 20);
      const settleFirst = append(log, 'a', { references: 3, entries: entriesFor(1, 2) });
      const settleLast = append(log, 'b', { references: 3, entries: entriesFor(1, 2) });
      log.settle(1, settleFirst, true);
      log.settle(2, settleFirst, true);
      expect(payloadOf(log, settleFirst)).toBe('a');
      log.release(settleFirst);
      log.release(settleLast);
      log.settle(2, settleLast, true);
      expect([payloadOf(log, settleFirst), payloadOf(log, settleLast)]).toEqual([null, 'b']);
      log.settle(1, settleLast, true);
      expect([payloadOf(log, settleLast), log.messages]).toEqual([null, 0]);
    });

    it('takes what a queue settles twice once only', async () => {
      const { log } = await open(1 << 20);
      const sequence = append(log, 'm', { references: 3, entries: entriesFor(1, 2) });
      for (let i = 0; i < 5; i++) log.settle(1, sequence, true);
      expect(payloadOf(log, sequence)).toBe('m');
      log.settle(2, sequence, true);
      expect(payloadOf(log, sequence)).toBe('m');
      log.release(sequence);
      expect(payloadOf(log, sequence)).toBeNull();
    });

    it('takes settling and changing what is gone, or never was, for nothing', async () => {
      const opened = await open(1 << 20);
      const { log } = opened;
      const states = new StatesOfTest();
      log.setQueueStates(states);
      const gone = append(log, 'gone', { entries: entriesFor(1) });
      append(log, 'kept');
      log.settle(1, gone, true);
      for (const sequence of [gone, log.nextSequence, 0]) {
        log.settle(1, sequence, true);
        log.stateChanged(1, sequence, true);
      }
      await opened.commit();
      expect([log.messages, states.asked]).toEqual([1, []]);
    });
  });
}

export function describeDurableQueuesOfMessageLog(name: string, { open }: MessageLogFactory): void {
  async function reopened(opened: OpenLog, recovered = new Recovered(), states: QueueStates | null = null) {
    if (opened.reopen === undefined) throw new TypeError(`${name} cannot be opened again`);
    return { next: await opened.reopen(recovered.referencesOf, states), told: recovered.told };
  }

  /** Commits something, so that blocks are looked at once more. */
  async function commitAnother(opened: OpenLog): Promise<void> {
    append(opened.log, 'another');
    await opened.commit();
  }

  describe(`durable MessageLog for queues: ${name}`, () => {
    it('tells the entries of each message, with their bytes', async () => {
      const opened = await open(1 << 20);
      append(opened.log, 'a', { references: 2, entries: entriesFor(1, 300) });
      append(opened.log, 'b');
      append(opened.log, 'c', { entries: [{ queue: 2 ** 40, bytes: Buffer.alloc(0) }] });
      await opened.commit();
      const told: unknown[] = [];
      await opened.reopen?.(({ entries }) => {
        told.push(entries.map(({ queue, bytes }) => [queue, bytes.toString()]));
        return 1;
      });
      expect(told).toEqual([
        [
          [1, 'entry of 1'],
          [300, 'entry of 300'],
        ],
        [],
        [[2 ** 40, '']],
      ]);
    });

    it('gives out the ticket of the open commit, and knows what was settled when that is', async () => {
      const opened = await open(1 << 20);
      const { log } = opened;
      const sequences = Array.from({ length: 3 }, () => append(log, 'm', { entries: entriesFor(1) }));
      const [first, second, third] = sequences as [number, number, number];
      await opened.commit();
      const ticket = log.settle(1, second, true);
      expect(ticket).toBeGreaterThan(opened.settledTicket);
      expect(log.settle(1, third, false)).toBe(ticket);
      await opened.commit();
      expect(opened.settledTicket).toBeGreaterThanOrEqual(ticket);
      const { next, told } = await reopened(opened);
      const settled = sequences.map((sequence) => told.get(sequence));
      expect(settled).toEqual([['1'], ['1 settled'], ['1 settled']]);
      expect([next.log.has(first), next.log.has(second), next.log.messages]).toEqual([true, false, 1]);
    });

    it('knows each queue and each session of a message by itself', async () => {
      const opened = await open(1 << 20);
      const sequence = append(opened.log, 'm', { references: 3, entries: entriesFor(1, 2) });
      await opened.commit();
      opened.log.settle(2, sequence, true);
      await opened.commit();
      const { next, told } = await reopened(opened, new Recovered(() => 1));
      expect(told.get(sequence)).toEqual(['1', '2 settled']);
      next.log.settle(1, sequence, true);
      await next.commit();
      const { next: third, told: toldAgain } = await reopened(next, new Recovered(() => 1));
      expect(toldAgain.get(sequence)).toEqual(['1 settled', '2 settled']);
      expect(await readPayload(third.log, sequence)).toBe('m');
      third.log.release(sequence);
      expect(third.log.messages).toBe(0);
    });

    it('stays settled when a session claims after a crash what it had released before', async () => {
      const opened = await open(1 << 20);
      const sequence = append(opened.log, 'm', { references: 2, entries: entriesFor(1) });
      const other = append(opened.log, 'other', { entries: entriesFor(1) });
      await opened.commit();
      opened.log.release(sequence);
      opened.log.settle(1, sequence, true);
      await opened.commit();
      const claims = (): Recovered => new Recovered((claimed) => (claimed === sequence ? 1 : 0));
      const { next, told } = await reopened(opened, claims());
      expect(told.get(sequence)).toEqual(['1 settled']);
      next.log.settle(1, other, true);
      await next.commit();
      const { told: toldAgain } = await reopened(next, claims());
      expect(toldAgain.get(sequence)).toEqual(['1 settled']);
    });

    it('hands back the last state of each message that has one', async () => {
      const opened = await open(1 << 20);
      const states = new StatesOfTest();
      opened.log.setQueueStates(states);
      const sequences = Array.from({ length: 4 }, () =>
        append(opened.log, 'm', { references: 2, entries: entriesFor(1, 2) }),
      );
      const [first, second, third, fourth] = sequences as [number, number, number, number];
      states.set(opened.log, 1, first, 'early');
      states.set(opened.log, 2, first, 'other queue');
      await opened.commit();
      for (const state of ['x', 'y', 'last']) states.set(opened.log, 1, first, state);
      states.set(opened.log, 1, second, 'gone again');
      states.set(opened.log, 2, third, 'settled');
      await opened.commit();
      states.set(opened.log, 1, second, null);
      opened.log.settle(2, third, true);
      states.set(opened.log, 1, fourth, '');
      await opened.commit();
      const { told } = await reopened(opened);
      expect(sequences.map((sequence) => told.get(sequence))).toEqual([
        ['1 last', '2 other queue'],
        ['1', '2'],
        ['1', '2 settled'],
        ['1 ', '2'],
      ]);
    });

    it('keeps states across a restart that changes nothing of them', async () => {
      const opened = await open(1 << 20);
      const states = new StatesOfTest();
      opened.log.setQueueStates(states);
      const first = append(opened.log, 'm', { entries: entriesFor(1) });
      const second = append(opened.log, 'm', { entries: entriesFor(1) });
      states.set(opened.log, 1, first, 'state');
      await opened.commit();
      const { next } = await reopened(opened, new Recovered(), states);
      next.log.settle(1, second, true);
      await next.commit();
      const { told } = await reopened(next);
      expect([told.get(first), told.get(second)]).toEqual([['1 state'], ['1 settled']]);
    });

    it('asks for a state once a commit at most, and not when nothing of its block has changed', async () => {
      const opened = await open(1 << 20);
      const states = new StatesOfTest();
      opened.log.setQueueStates(states);
      const sequence = append(opened.log, 'x'.repeat(5000), { entries: entriesFor(1) });
      for (let i = 0; i < 100; i++) states.set(opened.log, 1, sequence, `${i}`);
      await opened.commit();
      await commitAnother(opened);
      expect(states.asked).toEqual([`1/${sequence}`]);
    });

    it('knows what is settled of packed blocks, and of many', async () => {
      const opened = await open(1 << 18);
      const states = new StatesOfTest();
      opened.log.setQueueStates(states);
      const sequences = Array.from({ length: 3000 }, (_, i) =>
        append(opened.log, `${i}`.padEnd(100, '.'), { references: 2, entries: entriesFor(1, 2) }),
      );
      await opened.commit();
      const kept = new Set(sequences.filter((_, i) => i % 97 === 0));
      for (const sequence of sequences) {
        opened.log.settle(1, sequence, true);
        if (!kept.has(sequence)) opened.log.settle(2, sequence, true);
        else if (sequence % 2 === 0) states.set(opened.log, 2, sequence, 'away');
      }
      for (let i = 0; i < 30; i++) await commitAnother(opened);
      const { next, told } = await reopened(opened, new Recovered(), states);
      for (const sequence of kept) {
        expect(told.get(sequence)).toEqual(['1 settled', sequence % 2 === 0 ? '2 away' : '2']);
        expect(await readEntryText(next.log, sequence, 2)).toBe('entry of 2');
      }
      expect(
        [...told]
          .filter(([sequence]) => !kept.has(sequence))
          .every(([, entries]) => entries.every((told) => told.endsWith('settled'))),
      ).toBe(true);
      expect(next.log.messages).toBe(kept.size);
    });

    it('has nothing left when everything is settled', async () => {
      let opened = await open(1 << 20);
      const sequences = Array.from({ length: 100 }, () =>
        append(opened.log, 'x'.repeat(1000), { entries: entriesFor(1) }),
      );
      await opened.commit();
      for (const sequence of sequences.slice(50)) opened.log.settle(1, sequence, true);
      await opened.commit();
      ({ next: opened } = await reopened(opened));
      for (const sequence of sequences.slice(0, 50)) opened.log.settle(1, sequence, true);
      await opened.commit();
      const { next, told } = await reopened(opened);
      expect([told.size, next.log.messages, next.log.storedBytes]).toEqual([0, 0, 0]);
    });

    it('settles what has not been written yet, and what is not to outlive the process', async () => {
      const opened = await open(1 << 20);
      const { log } = opened;
      const unwritten = append(log, 'a', { entries: entriesFor(1) });
      const beside = append(log, 'b', { entries: entriesFor(1) });
      const inMemory = append(log, 'c', { entries: entriesFor(1), durability: 'memory' });
      log.settle(1, unwritten, true);
      log.settle(1, inMemory, true);
      await opened.commit();
      const { next, told } = await reopened(opened);
      expect(told.get(beside)).toEqual(['1']);
      expect([...told.values()].filter(([entry]) => entry === '1').length).toBe(1);
      expect(next.log.messages).toBe(1);
    });

    it('lets the marks of a queue that is no more vanish when its blocks are written again', async () => {
      const opened = await open(1 << 20);
      const states = new StatesOfTest();
      opened.log.setQueueStates(states);
      const first = append(opened.log, 'a', { references: 2, entries: entriesFor(1, 2) });
      const second = append(opened.log, 'b', { references: 2, entries: entriesFor(1, 2) });
      states.set(opened.log, 1, first, 'state');
      opened.log.settle(1, second, true);
      await opened.commit();
      opened.log.forgetQueue(1);
      opened.log.release(first);
      opened.log.settle(2, second, true);
      await opened.commit();
      const { told } = await reopened(opened);
      expect([told.get(first), told.get(second)]).toEqual([
        ['1', '2'],
        ['1 settled', '2 settled'],
      ]);
    });

    it('reads messages that were stored without entries', async () => {
      const opened = await open(1 << 20);
      const sequence = opened.log.nextSequence;
      opened.log.append(testMessage({ payload: 'm' }), [{ id: 5 }], 1, 'fsync');
      await opened.commit();
      const { next, told } = await reopened(opened, new Recovered(() => 1));
      expect(told.get(sequence)).toEqual([]);
      expect(await readPayload(next.log, sequence)).toBe('m');
    });
  });
}
