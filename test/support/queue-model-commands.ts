/** What a model test of queues may do, at random. */
import fc from 'fast-check';
import type { PeekedState } from '../../src/queues/peeked-message.js';
import { CRASH_ENDS, type CrashEnd } from './stepped-queues.js';

export type Command =
  | {
      do: 'enqueue';
      group: number;
      priority: number;
      delayMs: number;
      deduplicationId: number;
      key: number;
      bytes: number;
    }
  | { do: 'receive'; queue: number; max: number; perGroup: number; waitMs: number; consumer: number }
  | { do: 'acknowledge' | 'refuse' | 'reject' | 'extend'; which: number; ms: number }
  | { do: 'acknowledge-old'; which: number }
  | { do: 'cancel'; which: number }
  | { do: 'close-consumer'; which: number; isAbnormal: boolean }
  | { do: 'advance'; ms: number }
  | { do: 'close' | 'settle' | 'commit' | 'cool' | 'load' }
  | { do: 'redrive'; perSecond: number; isCancelled: boolean; isOfChosen: boolean }
  | { do: 'peek'; queue: number; max: number; state: PeekedState | 'any' }
  | { do: 'crash'; end: CrashEnd; downMs: number };

const which = fc.nat(20);
export const commandArbitrary: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('enqueue' as const),
      group: fc.nat(2),
      priority: fc.constantFrom(0, 0, 0, 5, 9),
      delayMs: fc.constantFrom(0, 0, 0, 500, 1500),
      deduplicationId: fc.nat(12),
      key: fc.nat(3),
      // Some fill a block of the log, so that not all of them stand in the last one.
      bytes: fc.constantFrom(0, 0, 1500, 5000),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('receive' as const),
      queue: fc.constantFrom(0, 0, 0, 1),
      max: fc.integer({ min: 1, max: 5 }),
      perGroup: fc.constantFrom(1, 10),
      waitMs: fc.constantFrom(0, 2000),
      consumer: fc.nat(2),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('acknowledge' as const, 'acknowledge' as const, 'refuse' as const, 'extend' as const),
      which,
      ms: fc.constantFrom(0, 300, 2500),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reject' as const), which, ms: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('acknowledge-old' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close-consumer' as const), which, isAbnormal: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(1, 200, 999, 4000) }) },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constantFrom('close' as const, 'settle' as const, 'commit' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('cool' as const, 'load' as const, 'load' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('redrive' as const),
      perSecond: fc.constantFrom(5, 100),
      isCancelled: fc.boolean(),
      isOfChosen: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('peek' as const),
      queue: fc.nat(1),
      max: fc.constantFrom(1, 3, 100),
      state: fc.constantFrom('any' as const, 'ready' as const, 'in-flight' as const, 'delayed' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('crash' as const),
      end: fc.constantFrom(...CRASH_ENDS),
      downMs: fc.constantFrom(0, 0, 600, 5000),
    }),
  },
);
