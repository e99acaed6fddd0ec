/** Queues and sessions that share messages of a log, under random operations and crashes, against a Map of what must be there. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { RecordOutline } from '../../../src/store/message-record.js';
import type { QueueStates } from '../../../src/store/stored-marks.js';
import { append, readEntryText, readPayload } from '../../support/log-reading.js';
import { StandInLog } from '../../support/stand-in-log.js';

interface Known {
  readonly payload: string;
  /** References that are no queue's. */
  sessions: number;
  /** Queues that have not done with it, with the state that it has there; '' for none. */
  readonly waiting: Map<number, string>;
  readonly settled: Set<number>;
}

type Operation =
  | { readonly kind: 'append'; readonly bytes: number; readonly sessions: number; readonly queues: readonly number[] }
  | { readonly kind: 'append many'; readonly count: number; readonly queues: readonly number[] }
  | { readonly kind: 'settle' | 'settle again'; readonly pick: number; readonly queue: number }
  | { readonly kind: 'settle many'; readonly pick: number; readonly every: number; readonly queue: number }
  | { readonly kind: 'state'; readonly pick: number; readonly queue: number; readonly state: string }
  | { readonly kind: 'release' | 'read'; readonly pick: number }
  | { readonly kind: 'commit' }
  | { readonly kind: 'sync'; readonly groups: number }
  | { readonly kind: 'crash'; readonly isClaimed: boolean };

class MarksModel implements QueueStates {
  opened: StandInLog;
  #known = new Map<number, Known>();
  /** Of whatever was appended. */
  readonly #payloads = new Map<number, string>();
  /** What each group has to bring back, by its ticket. */
  readonly #committed = new Map<number, Map<number, Known>>();

  constructor(cacheBytes: number) {
    this.opened = new StandInLog(cacheBytes);
    this.#watch();
  }

  encodeState(queue: number, sequence: number): Uint8Array | null {
    const known = this.#known.get(sequence);
    expect(known?.waiting.has(queue), `${sequence} waits in ${queue}`).toBe(true);
    const state = known?.waiting.get(queue) ?? '';
    return state === '' ? null : Buffer.from(state);
  }

  async run(operation: Operation): Promise<void> {
    switch (operation.kind) {
      case 'append':
        this.#append(operation.bytes, operation.sessions, operation.queues);
        break;
      case 'append many':
        for (let i = 0; i < operation.count; i++) this.#append(60, i % 7 === 0 ? 1 : 0, operation.queues);
        break;
      case 'settle':
        this.#settle(this.#pick(operation.pick), operation.queue);
        break;
      case 'settle again': {
        const sequence = this.#pick(operation.pick);
        if (this.#known.get(sequence)?.settled.has(operation.queue))
          this.opened.log.settle(operation.queue, sequence, true);
        break;
      }
      case 'settle many':
        for (const sequence of [...this.#known.keys()]) {
          if ((sequence + operation.pick) % operation.every !== 0) this.#settle(sequence, operation.queue);
        }
        break;
      case 'state': {
        const sequence = this.#pick(operation.pick);
        const known = this.#known.get(sequence);
        if (known?.waiting.has(operation.queue) !== true) break;
        known.waiting.set(operation.queue, operation.state);
        this.opened.log.stateChanged(operation.queue, sequence, true);
        break;
      }
      case 'release':
        this.#release(this.#pick(operation.pick));
        break;
      case 'read':
        await this.#expectContent(this.#pick(operation.pick));
        break;
      case 'commit':
        this.opened.committer.commit();
        break;
      case 'sync':
        this.opened.committer.settle(operation.groups);
        break;
      case 'crash':
        await this.#crash(operation.isClaimed);
    }
    expect(this.opened.log.messages).toBe(this.#known.size);
    expect([...this.opened.damages, ...this.opened.marksDamages]).toEqual([]);
  }

  async expectEverything(): Promise<void> {
    for (const sequence of this.#known.keys()) await this.#expectContent(sequence);
  }

  /** Nothing is left behind when everything is settled. */
  async expectEmptyWhenSettled(): Promise<void> {
    for (const [sequence, { waiting, sessions }] of [...this.#known]) {
      for (const queue of [...waiting.keys()]) this.#settle(sequence, queue);
      for (let left = sessions; left > 0; left--) this.#release(sequence);
    }
    this.#append(100_000, 1, []);
    await this.opened.commit();
    expect(this.opened.blocks.stored.length).toBe(1);
    expect(this.opened.blocks.storedMarks).toEqual([]);
  }

  #append(bytes: number, sessions: number, queues: readonly number[]): void {
    const { log } = this.opened;
    const payload = `${log.nextSequence}.`.padEnd(bytes, '.');
    const entries = queues.map((queue) => ({ queue, bytes: Buffer.from(`${queue}:${log.nextSequence}`) }));
    const references = Math.max(1, sessions + queues.length);
    const sequence = append(log, payload, { references, entries });
    this.#payloads.set(sequence, payload);
    const waiting = new Map(queues.map((queue) => [queue, '']));
    this.#known.set(sequence, { payload, sessions: references - queues.length, waiting, settled: new Set() });
  }

  #settle(sequence: number, queue: number): void {
    const known = this.#known.get(sequence);
    if (known?.waiting.delete(queue) !== true) return;
    known.settled.add(queue);
    this.#forgetUnneeded(sequence, known);
    this.opened.log.settle(queue, sequence, true);
  }

  #release(sequence: number): void {
    const known = this.#known.get(sequence);
    if (known === undefined || known.sessions === 0) return;
    known.sessions--;
    this.#forgetUnneeded(sequence, known);
    this.opened.log.release(sequence);
  }

  #forgetUnneeded(sequence: number, { sessions, waiting }: Known): void {
    if (sessions === 0 && waiting.size === 0) this.#known.delete(sequence);
  }

  #pick(pick: number): number {
    const sequences = [...this.#known.keys()];
    return sequences[pick % sequences.length] ?? 0;
  }

  async #expectContent(sequence: number): Promise<void> {
    const known = this.#known.get(sequence);
    if (known === undefined) return;
    expect(await readPayload(this.opened.log, sequence)).toBe(known.payload);
    for (const queue of [...known.waiting.keys(), ...known.settled]) {
      expect(await readEntryText(this.opened.log, sequence, queue)).toBe(`${queue}:${sequence}`);
    }
    expect(await readEntryText(this.opened.log, sequence, 99)).toBeNull();
  }

  /** @param isClaimed sessions want what the last process had released for them: they had not stored that they need it no more */
  async #crash(isClaimed: boolean): Promise<void> {
    this.#known = copyOf(this.#committed.get(this.opened.settledTicket) ?? new Map());
    const missing = new Set(this.#known.keys());
    this.opened = await this.opened.reopen((outline) => this.#referencesOf(outline, missing, isClaimed), this);
    expect([...missing]).toEqual([]);
    this.#committed.clear();
    this.#committed.set(0, copyOf(this.#known));
    this.#watch();
  }

  #referencesOf({ sequence, entries }: Readonly<RecordOutline>, missing: Set<number>, isClaimed: boolean): number {
    const known = this.#known.get(sequence);
    for (const { queue, bytes, isSettled, state } of entries) {
      expect(bytes.toString()).toBe(`${queue}:${sequence}`);
      expect(isSettled, `${sequence} in ${queue}`).toBe(known?.waiting.has(queue) !== true);
      expect(state?.toString() ?? '').toBe(known?.waiting.get(queue) ?? '');
    }
    missing.delete(sequence);
    if (known !== undefined) return known.sessions + known.waiting.size;
    if (!isClaimed) return 0;
    const settled = new Set(entries.map(({ queue }) => queue));
    this.#known.set(sequence, {
      payload: this.#payloads.get(sequence) as string,
      sessions: 1,
      waiting: new Map(),
      settled,
    });
    return 1;
  }

  /** Notes at the end of each group what it holds. */
  #watch(): void {
    const { committer, log } = this.opened;
    log.setQueueStates(this);
    const { contribute } = committer;
    committer.contribute = () => {
      contribute();
      this.#committed.set(committer.require(), copyOf(this.#known));
    };
  }
}

function copyOf(known: ReadonlyMap<number, Known>): Map<number, Known> {
  const copy = new Map<number, Known>();
  for (const [sequence, { payload, sessions, waiting, settled }] of known) {
    copy.set(sequence, { payload, sessions, waiting: new Map(waiting), settled: new Set(settled) });
  }
  return copy;
}

const queueArbitrary = fc.constantFrom(1, 2, 300);
const queuesArbitrary = fc.uniqueArray(queueArbitrary, { maxLength: 3 });
const operationArbitrary: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      bytes: fc.oneof(fc.nat(300), fc.nat(5000), fc.nat(80_000)),
      sessions: fc.nat(2),
      queues: queuesArbitrary,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('append many' as const), count: fc.nat(150), queues: queuesArbitrary }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constantFrom('settle', 'settle', 'settle again'),
      pick: fc.nat(),
      queue: queueArbitrary,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('settle many' as const),
      pick: fc.nat(),
      every: fc.integer({ min: 2, max: 50 }),
      queue: queueArbitrary,
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('state' as const),
      pick: fc.nat(),
      queue: queueArbitrary,
      state: fc.constantFrom('', 'a', 'bb', 'x'.repeat(200)),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('release', 'release', 'read'), pick: fc.nat() }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('commit' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('sync' as const), groups: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), isClaimed: fc.boolean() }) },
);

it('knows after every crash what each queue had settled, and the state of the rest', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(operationArbitrary, { maxLength: 120, size: 'max' }),
      fc.constantFrom(0, 20_000, 1 << 24),
      async (operations, cacheBytes) => {
        const model = new MarksModel(cacheBytes);
        for (const operation of operations) await model.run(operation);
        await model.expectEverything();
        await model.expectEmptyWhenSettled();
      },
    ),
    { numRuns: 100 },
  );
});
