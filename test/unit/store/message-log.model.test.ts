/** A message log under random operations and crashes, against a Map of what must be there. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { DurabilityLevel } from '../../../src/core/durability.js';
import { readPayload } from '../../support/log-reading.js';
import { StandInLog } from '../../support/stand-in-log.js';
import { testMessage } from '../../support/test-message.js';

interface Known {
  readonly payload: string;
  readonly durability: DurabilityLevel;
  readonly ticket: number;
  references: number;
}

type Operation =
  | {
      readonly kind: 'append';
      readonly bytes: number;
      readonly references: number;
      readonly durability: DurabilityLevel;
    }
  | { readonly kind: 'append many'; readonly count: number; readonly bytes: number }
  | { readonly kind: 'release' | 'retain' | 'read'; readonly pick: number }
  | { readonly kind: 'release many'; readonly pick: number; readonly every: number }
  | { readonly kind: 'commit' | 'crash' }
  | { readonly kind: 'settle'; readonly groups: number };

class LogModel {
  opened: StandInLog;
  readonly known = new Map<number, Known>();

  constructor(cacheBytes: number) {
    this.opened = new StandInLog(cacheBytes);
  }

  async run(operation: Operation): Promise<void> {
    switch (operation.kind) {
      case 'append':
        this.#append(operation.bytes, operation.references, operation.durability);
        break;
      case 'append many':
        for (let i = 0; i < operation.count; i++) this.#append(operation.bytes, 1, 'fsync');
        break;
      case 'release': {
        const sequence = this.#pick(operation.pick);
        if (sequence !== undefined) this.#release(sequence);
        break;
      }
      case 'release many':
        for (const sequence of [...this.known.keys()]) {
          if ((sequence + operation.pick) % operation.every !== 0) this.#release(sequence);
        }
        break;
      case 'retain': {
        const sequence = this.#pick(operation.pick);
        if (sequence === undefined) break;
        (this.known.get(sequence) as Known).references++;
        this.opened.log.retain(sequence);
        break;
      }
      case 'read': {
        const sequence = this.#pick(operation.pick);
        if (sequence !== undefined) await this.#expectContent(sequence);
        break;
      }
      case 'commit':
        this.opened.committer.commit();
        break;
      case 'settle':
        this.opened.committer.settle(operation.groups);
        break;
      case 'crash':
        await this.#crash();
    }
    expect(this.opened.log.messages).toBe(this.known.size);
    expect(this.opened.damages).toEqual([]);
  }

  async expectEverything(): Promise<void> {
    for (const sequence of this.known.keys()) await this.#expectContent(sequence);
  }

  /** Nothing is left behind when nobody needs anything. */
  async expectEmptyAfterReleases(): Promise<void> {
    for (const sequence of [...this.known.keys()]) {
      while (this.known.has(sequence)) this.#release(sequence);
    }
    await this.opened.commit();
    // A block that is open still has a place; the next one that begins takes it away.
    this.#append(100_000, 1, 'fsync');
    this.#release([...this.known.keys()][0] as number);
    this.#append(100_000, 1, 'fsync');
    await this.opened.commit();
    expect(this.opened.blocks.stored.length).toBe(1);
  }

  #append(bytes: number, references: number, durability: DurabilityLevel): void {
    const { log } = this.opened;
    const sequence = log.nextSequence;
    expect(this.known.has(sequence)).toBe(false);
    const payload = `${sequence}.`.padEnd(bytes, '.');
    const message = testMessage({ payload, publisherId: 'x'.repeat(bytes % 7) });
    const ticket = log.append(message, [{ id: sequence % 5 }], references, durability);
    this.known.set(sequence, { payload, durability, ticket, references });
  }

  #release(sequence: number): void {
    const known = this.known.get(sequence) as Known;
    if (--known.references === 0) this.known.delete(sequence);
    this.opened.log.release(sequence);
  }

  #pick(pick: number): number | undefined {
    const sequences = [...this.known.keys()];
    return sequences[pick % sequences.length];
  }

  async #expectContent(sequence: number): Promise<void> {
    expect(this.opened.log.has(sequence)).toBe(true);
    expect(await readPayload(this.opened.log, sequence)).toBe(this.known.get(sequence)?.payload);
  }

  async #crash(): Promise<void> {
    const { settledTicket } = this.opened;
    const found = new Set<number>();
    let last = 0;
    this.opened = await this.opened.reopen(({ sequence, byteLength, streams }) => {
      expect(sequence).toBeGreaterThan(last);
      last = sequence;
      const known = this.known.get(sequence);
      if (known === undefined) return 0;
      found.add(sequence);
      expect([byteLength, streams]).toEqual([1 + known.payload.length, [sequence % 5]]);
      return known.references;
    });
    for (const [sequence, { ticket, durability }] of this.known) {
      if (found.has(sequence)) continue;
      const wasAcknowledged = durability !== 'memory' && ticket <= settledTicket;
      expect(wasAcknowledged, `message ${sequence} was acknowledged`).toBe(false);
      this.known.delete(sequence);
    }
  }
}

const bytesArbitrary = fc.oneof(
  { weight: 4, arbitrary: fc.nat(300) },
  { weight: 2, arbitrary: fc.nat(5000) },
  { weight: 1, arbitrary: fc.nat(80_000) },
);
const operationArbitrary: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      bytes: bytesArbitrary,
      references: fc.integer({ min: 1, max: 3 }),
      durability: fc.constantFrom<DurabilityLevel>('fsync', 'fsync', 'os', 'memory'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('append many' as const), count: fc.nat(150), bytes: fc.nat(400) }),
  },
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constantFrom('release', 'release', 'retain', 'read'), pick: fc.nat() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('release many' as const),
      pick: fc.nat(),
      every: fc.integer({ min: 2, max: 50 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('commit' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('settle' as const), groups: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
);

it('finds every message that was acknowledged and not released, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(operationArbitrary, { maxLength: 120, size: 'max' }),
      fc.constantFrom(0, 20_000, 200_000, 1 << 24),
      async (operations, cacheBytes) => {
        const model = new LogModel(cacheBytes);
        for (const operation of operations) await model.run(operation);
        await model.expectEverything();
        await model.expectEmptyAfterReleases();
      },
    ),
    { numRuns: 100 },
  );
});
