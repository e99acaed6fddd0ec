import { describe, expect, it } from 'vitest';
import { Samples } from '../../../bench/generator/samples.js';
import { SharedLedger } from '../../../bench/generator/shared-ledger.js';
import { TimedLedger } from '../../../bench/generator/timed-ledger.js';

const PUBLISHERS = 2;

function stream(member: number, publisher: number): number {
  return member * PUBLISHERS + publisher;
}

describe('the account of a shared subscription', () => {
  it('counts a message once, whichever member gets it', () => {
    const ledger = new SharedLedger(3, PUBLISHERS);
    expect(ledger.record(stream(0, 1), 0, 5000)).toBe(true);
    expect(ledger.record(stream(2, 1), 1, 5000)).toBe(true);
    expect(ledger.record(stream(1, 1), 0, 5000)).toBe(false);
    expect(ledger.record(stream(1, 1), 4097, 5000)).toBe(true);
    expect(ledger).toMatchObject({ delivered: 3, duplicated: 1, reordered: 0, foreign: 0 });
    expect(ledger.missing([10, 5000])).toBe(10 + 5000 - 3);
  });

  it('asks for order of each member, not between members', () => {
    const ledger = new SharedLedger(2, PUBLISHERS);
    ledger.record(stream(0, 0), 7, 10);
    ledger.record(stream(1, 0), 3, 10);
    expect(ledger.reordered).toBe(0);
    ledger.record(stream(0, 0), 6, 10);
    expect(ledger.reordered).toBe(1);
    // Of another publisher nothing is said.
    ledger.record(stream(0, 1), 0, 10);
    expect(ledger.reordered).toBe(1);
  });

  it('counts what was never sent as foreign', () => {
    const ledger = new SharedLedger(1, PUBLISHERS);
    expect(ledger.record(stream(0, 0), 5, 5)).toBe(false);
    ledger.recordForeign();
    expect(ledger).toMatchObject({ delivered: 0, foreign: 2 });
  });
});

describe('the ledger that knows when a message was due', () => {
  it('takes the time of new messages that were due in the window', () => {
    const latencies = new Samples(10);
    const asked: number[] = [];
    const dueAtMs = (number: number): number => {
      asked.push(number);
      return number < 3 ? 0 : 5;
    };
    const ledger = new TimedLedger(3, latencies, 1, dueAtMs);
    ledger.record(2, 0, 9);
    expect(latencies.sorted()).toHaveLength(0);
    ledger.record(1, 0, 9);
    ledger.record(1, 1, 9);
    ledger.record(1, 1, 9);
    expect(asked).toEqual([2, 1, 4]);
    expect(latencies.sorted()).toHaveLength(1);
    expect(latencies.sorted()[0]).toBeGreaterThan(0);
    expect(ledger.duplicated).toBe(1);
  });
});
