import { beforeEach, expect, it } from 'vitest';
import { RetainedLedger } from './retained-ledger.js';

let ledger: RetainedLedger;
const T = 'retained/t';

beforeEach(() => {
  ledger = new RetainedLedger();
});

function holds(value: string | undefined): boolean {
  return ledger.verdict(new Map(value === undefined ? [] : [[T, value]])).length === 0;
}

it('allows the last acknowledged value and what was sent after it, nothing older', () => {
  for (const key of ['a', 'b', 'c', 'd']) ledger.recordSent(T, key, key);
  expect(holds(undefined)).toBe(true);
  ledger.recordAcknowledged(T, 'a');
  ledger.recordAcknowledged(T, 'b');
  expect(['a', 'b', 'c', 'd', undefined].map(holds)).toEqual([false, true, true, true, false]);
});

it('knows that a value was cleared', () => {
  ledger.recordSent(T, 'a', 'a');
  ledger.recordSent(T, 'b', undefined);
  ledger.recordAcknowledged(T, 'b');
  expect([holds('a'), holds(undefined)]).toEqual([false, true]);
});

it('lets a repeated message take effect again, until it is acknowledged', () => {
  for (const key of ['a', 'b']) ledger.recordSent(T, key, key);
  ledger.recordSentAgain(T, 'a');
  ledger.recordAcknowledged(T, 'a');
  expect([holds('a'), holds('b')]).toEqual([true, false]);
  ledger.recordSentAgain(T, 'b');
  ledger.recordAcknowledged(T, 'b');
  expect([holds('a'), holds('b')]).toEqual([false, true]);
});

it('names a topic that nobody sent', () => {
  expect(ledger.verdict(new Map([['x', 'y']]))).toEqual([expect.stringContaining('never sent')]);
});
