import { describe, expect, it } from 'vitest';
import { Ledger } from '../../../devices-sim/ledger.js';

function ledgerWithSent(count: number): Ledger {
  const ledger = new Ledger();
  for (let index = 0; index < count; index += 1) ledger.recordSent('a');
  return ledger;
}

describe('Ledger', () => {
  it('numbers the readings of each device from 0', () => {
    const ledger = new Ledger();
    expect([ledger.recordSent('a'), ledger.recordSent('a'), ledger.recordSent('b')]).toEqual([0, 1, 0]);
  });

  it('counts what has not come back as missing', () => {
    const ledger = ledgerWithSent(3);
    expect(ledger.recordReceived('a', 0, 1)).toBe('new');
    expect(ledger.recordReceived('a', 2, 1)).toBe('new');
    expect(ledger.totals()).toMatchObject({ sent: 3, received: 2, missing: 1, outOfOrder: 0 });
  });

  it('counts a late reading as out of order and not as missing', () => {
    const ledger = ledgerWithSent(3);
    ledger.recordReceived('a', 2, 1);
    expect(ledger.recordReceived('a', 1, 1)).toBe('out of order');
    expect(ledger.recordReceived('a', 0, 1)).toBe('out of order');
    expect(ledger.totals()).toMatchObject({ received: 3, missing: 0, outOfOrder: 2 });
  });

  it('counts a redelivered series as duplicates and not as reordered', () => {
    const ledger = ledgerWithSent(2);
    for (const sequence of [0, 1, 0, 1]) ledger.recordReceived('a', sequence, 1);
    expect(ledger.totals()).toMatchObject({ received: 2, duplicated: 2, outOfOrder: 0 });
  });

  it('does not let a duplicate into the latencies', () => {
    const ledger = ledgerWithSent(1);
    ledger.recordReceived('a', 0, 1);
    ledger.recordReceived('a', 0, 5000);
    expect(ledger.latency.count).toBe(1);
    expect(ledger.latency.maxMs).toBe(1);
  });

  it.each([
    ['a device that has sent nothing', 'b', 0],
    ['a number that was not sent yet', 'a', 1],
    ['a negative number', 'a', -1],
    ['a fraction', 'a', 0.5],
  ])('counts %s as unexpected', (_what, device, sequence) => {
    const ledger = ledgerWithSent(1);
    expect(ledger.recordReceived(device, sequence, 1)).toBe('unexpected');
    expect(ledger.totals()).toMatchObject({ received: 0, missing: 1, unexpected: 1 });
  });

  it('keeps one account for each device and the first reason of a refusal', () => {
    const ledger = ledgerWithSent(1);
    ledger.recordSent('b');
    ledger.recordRefused('b', 'Not authorized');
    ledger.recordRefused('b', 'Quota exceeded');
    expect(ledger.accounts().map(({ device, refused }) => [device, refused])).toEqual([
      ['a', 0],
      ['b', 2],
    ]);
    expect(ledger.firstRefusal).toBe('Not authorized');
  });
});
