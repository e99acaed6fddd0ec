/** What every MessageLog does, wherever its blocks lie; and what one that is durable does after a crash. */
import { describe, expect, it } from 'vitest';
import type { MessageLog } from '../../src/store/message-log.js';
import type { RecordOutline } from '../../src/store/message-record.js';
import type { QueueStates } from '../../src/store/stored-marks.js';
import type { Ticket } from '../../src/store/ticket.js';
import { append, payloadOf, readPayload } from '../support/log-reading.js';
import { testMessage } from '../support/test-message.js';

export interface OpenLog {
  readonly log: MessageLog;
  readonly settledTicket: Ticket;
  /** Messages that were reported as lost. */
  readonly damaged: number;
  /** Writes and settles everything. */
  commit(): Promise<void>;
  /** The log as the next process finds it. What was not settled is gone. */
  reopen?(referencesOf: (outline: Readonly<RecordOutline>) => number, states?: QueueStates | null): Promise<OpenLog>;
}

export interface MessageLogFactory {
  /** An empty log. Closed when the test ends. */
  open(cacheBytes: number): Promise<OpenLog>;
}

export function describeMessageLog(name: string, { open }: MessageLogFactory): void {
  describe(`MessageLog: ${name}`, () => {
    it('numbers its messages one after the other, and finds each', async () => {
      const { log } = await open(1 << 20);
      const first = log.nextSequence;
      for (let i = 0; i < 3; i++) expect(append(log, `m${i}`)).toBe(first + i);
      expect(log.nextSequence).toBe(first + 3);
      expect([0, 1, 2].map((i) => payloadOf(log, first + i))).toEqual(['m0', 'm1', 'm2']);
      expect(payloadOf(log, first + 3)).toBeNull();
      expect(payloadOf(log, first - 1)).toBeNull();
      expect(log.messages).toBe(3);
    });

    it('keeps a message for as long as somebody needs it', async () => {
      const { log } = await open(1 << 20);
      const sequence = append(log, 'm', { references: 2 });
      log.retain(sequence);
      for (let left = 3; left > 0; left--) {
        expect(log.has(sequence)).toBe(true);
        expect(payloadOf(log, sequence)).toBe('m');
        log.release(sequence);
      }
      expect(log.has(sequence)).toBe(false);
      expect(payloadOf(log, sequence)).toBeNull();
      expect(log.messages).toBe(0);
    });

    it('takes a release and a retain of what is gone, or never was, for nothing', async () => {
      const { log } = await open(1 << 20);
      const gone = append(log, 'gone');
      const kept = append(log, 'kept');
      log.release(gone);
      for (const sequence of [gone, gone, log.nextSequence, 0, kept + 70_000]) {
        log.release(sequence);
        log.retain(sequence);
        expect(log.has(sequence)).toBe(false);
      }
      expect(payloadOf(log, kept)).toBe('kept');
      expect(log.messages).toBe(1);
    });

    it('hands out everything of a message', async () => {
      const { log } = await open(1 << 20);
      const fields = { topic: 'ü/b', qos: 2, retain: true, publisherId: 'sensor-ö', messageExpiryInterval: 9 } as const;
      const message = testMessage({ ...fields, payload: 'x', contentType: 'text', nowMs: 5000 });
      const sequence = log.nextSequence;
      log.append(message, [], 1, 'fsync');
      const found = log.find(sequence, { onLoaded: () => {} });
      expect(found).toMatchObject({ topic: 'ü/b', qos: 2, retain: true, publisherId: 'sensor-ö', arrivedAtMs: 5000 });
      expect(found?.expiresAtMs).toBe(14_000);
      expect(found?.payload).toEqual(message.payload);
      expect(found?.properties).toEqual(message.properties);
    });

    it('takes messages of every size', async () => {
      const opened = await open(1 << 16);
      const { log } = opened;
      const sizes = [0, 1, 4000, 60_000, 65_536, 200_000, 3, 70_000, 0];
      const sequences = sizes.map((size) => append(log, 'x'.repeat(size)));
      await opened.commit();
      for (const [i, sequence] of sequences.entries()) {
        expect((await readPayload(log, sequence))?.length).toBe(sizes[i]);
      }
      for (const sequence of sequences) log.release(sequence);
      expect(log.messages).toBe(0);
    });

    it('keeps the few that are needed among many that are not', async () => {
      const opened = await open(1 << 18);
      const { log } = opened;
      const sequences = Array.from({ length: 3000 }, (_, i) => append(log, `${i}`.padEnd(100, '.')));
      await opened.commit();
      const kept = sequences.filter((_, i) => i % 97 === 0);
      for (const sequence of sequences) if (!kept.includes(sequence)) log.release(sequence);
      for (let i = 0; i < 30; i++) {
        append(log, 'later');
        await opened.commit();
      }
      for (const sequence of kept) {
        expect((await readPayload(log, sequence))?.startsWith(`${sequence - (sequences[0] as number)}.`)).toBe(true);
      }
      expect(log.messages).toBe(kept.length + 30);
    });

    it('makes nobody wait for a message that is not to outlive the process', async () => {
      const { log, settledTicket } = await open(1 << 20);
      const ticket = log.append(testMessage(), [], 1, 'memory');
      expect(ticket).toBeLessThanOrEqual(settledTicket);
    });
  });
}

/** What a log does beside that if it lies on something that outlives the process. */
export function describeDurableMessageLog(name: string, { open }: MessageLogFactory): void {
  async function reopened(opened: OpenLog, referencesOf: (outline: Readonly<RecordOutline>) => number = () => 1) {
    if (opened.reopen === undefined) throw new TypeError(`${name} cannot be opened again`);
    return await opened.reopen(referencesOf);
  }

  describe(`durable MessageLog: ${name}`, () => {
    it.each(['fsync', 'os'] as const)(
      'gives out a ticket at level %s, and has the message when it is settled',
      async (durability) => {
        const opened = await open(1 << 20);
        const sequence = opened.log.nextSequence;
        const ticket = opened.log.append(testMessage({ payload: 'm' }), [], 1, durability);
        expect(ticket).toBeGreaterThan(opened.settledTicket);
        await opened.commit();
        expect(opened.settledTicket).toBeGreaterThanOrEqual(ticket);
        const next = await reopened(opened);
        expect(await readPayload(next.log, sequence)).toBe('m');
      },
    );

    it('tells of each message what its stream readers need to know, in order', async () => {
      const opened = await open(1 << 20);
      const first = append(opened.log, 'one', { topic: 'a', qos: 1, streams: [{ id: 7 }, { id: 300_000 }] });
      append(opened.log, 'two', { topic: 'a', qos: 2 });
      await opened.commit();
      append(opened.log, 'three', { topic: 'abc', qos: 1, streams: [{ id: 1 }], publisherId: 'söme-bödy' });
      await opened.commit();
      const seen: unknown[] = [];
      await reopened(opened, ({ sequence, byteLength, qos, streams }) => {
        seen.push([sequence, byteLength, qos, [...streams]]);
        return 1;
      });
      expect(seen).toEqual([
        [first, 4, 1, [7, 300_000]],
        [first + 1, 4, 2, []],
        [first + 2, 8, 1, [1]],
      ]);
    });

    it('keeps as many references as are asked for', async () => {
      const opened = await open(1 << 20);
      const sequence = append(opened.log, 'm');
      await opened.commit();
      const { log } = await reopened(opened, () => 2);
      log.release(sequence);
      expect(await readPayload(log, sequence)).toBe('m');
      log.release(sequence);
      expect(log.messages).toBe(0);
    });

    it('gives later messages larger numbers than all before', async () => {
      const opened = await open(1 << 20);
      const before = append(opened.log, 'm');
      await opened.commit();
      expect((await reopened(opened)).log.nextSequence).toBeGreaterThan(before);
    });

    it('goes on with what is not needed dropped, once and for all', async () => {
      const opened = await open(1 << 20);
      const old = append(opened.log, 'old');
      await opened.commit();
      const second = await reopened(opened, () => 0);
      expect([second.log.messages, second.log.storedBytes]).toEqual([0, 0]);
      expect(second.log.has(old)).toBe(false);
      await second.commit();
      const third = await reopened(second, () => expect.unreachable('it is still there'));
      expect(third.log.messages).toBe(0);
    });

    it('finds after a crash what was written after everything before it was dropped', async () => {
      // A new process numbered its blocks from 1 again, below the mark under which the store looks no more.
      const opened = await open(1 << 20);
      for (let i = 0; i < 600; i++) {
        const sequence = append(opened.log, 'x'.repeat(5000));
        await opened.commit();
        opened.log.release(sequence);
      }
      await opened.commit();
      const second = await reopened(opened);
      const sequence = append(second.log, 'precious');
      await second.commit();
      const third = await reopened(second);
      expect(await readPayload(third.log, sequence)).toBe('precious');
    });

    it('has everything that was settled after a crash, over several processes', async () => {
      let opened = await open(1 << 16);
      const expected = new Map<number, string>();
      for (let round = 0; round < 4; round++) {
        for (let i = 0; i < 50; i++) {
          const payload = `${round}:${i}`.padEnd(700, '.');
          expected.set(append(opened.log, payload), payload);
        }
        await opened.commit();
        append(opened.log, 'not settled');
        for (const sequence of [...expected.keys()].filter((_, i) => i % 3 === round)) {
          opened.log.release(sequence);
          expected.delete(sequence);
        }
        opened = await reopened(opened, ({ sequence }) => (expected.has(sequence) ? 1 : 0));
        expect(opened.log.messages).toBe(expected.size);
        for (const [sequence, payload] of expected) expect(await readPayload(opened.log, sequence)).toBe(payload);
      }
      expect(opened.damaged).toBe(0);
    });
  });
}
