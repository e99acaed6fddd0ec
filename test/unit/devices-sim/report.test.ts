import { describe, expect, it } from 'vitest';
import { Ledger } from '../../../devices-sim/ledger.js';
import { isSuccess, type RunOutcome, reportLines } from '../../../devices-sim/report.js';

function outcomeOf(ledger: Ledger, more: Partial<RunOutcome> = {}): RunOutcome {
  const totals = ledger.totals();
  return {
    qos: 1,
    planned: totals.sent,
    devices: 1,
    elapsedSeconds: 2,
    totals,
    accounts: ledger.accounts(),
    firstRefusal: ledger.firstRefusal,
    latency: { p50Ms: 0.5, p99Ms: 12.3, maxMs: 40 },
    interrupted: false,
    stalledSeconds: undefined,
    observerConnectionLosses: 0,
    statusMessagesLeft: 0,
    ...more,
  };
}

function ledgerOf(sent: number, received: readonly number[], devices = ['a']): Ledger {
  const ledger = new Ledger();
  for (const device of devices) {
    for (let index = 0; index < sent; index += 1) {
      ledger.recordSent(device);
      ledger.recordAcknowledged(device);
    }
    for (const sequence of received) ledger.recordReceived(device, sequence, 1);
  }
  return ledger;
}

describe('the report of a run', () => {
  it('says in one line that everything was delivered', () => {
    const outcome = outcomeOf(ledgerOf(2, [0, 1]));
    expect(isSuccess(outcome)).toBe(true);
    expect(reportLines(outcome)).toEqual([
      'every reading was delivered: 2 sent, 2 received, 0 lost, 0 duplicated, 0 out of order',
      '1 devices, 2.0 s, 1 readings/s, end-to-end latency p50 0.50 ms, p99 12 ms, max 40 ms',
    ]);
  });

  it('names ten devices that lost something, and counts the rest', () => {
    const devices = Array.from({ length: 12 }, (_, index) => `device-${index}`);
    const outcome = outcomeOf(ledgerOf(2, [0], devices));
    const lines = reportLines(outcome);
    expect(isSuccess(outcome)).toBe(false);
    expect(lines[0]).toContain('NOT every reading was delivered');
    expect(lines[1]).toBe('  device-0: 2 sent, 1 received, 1 lost, 0 duplicated, 0 out of order');
    expect(lines[11]).toBe('  and 2 more devices');
  });

  it('lets a duplicate pass at QoS 1, with a remark, and at no other QoS', () => {
    const ledger = ledgerOf(1, [0, 0]);
    expect(isSuccess(outcomeOf(ledger))).toBe(true);
    expect(reportLines(outcomeOf(ledger)).at(-1)).toBe('duplicates are allowed at QoS 1 (at least once)');
    expect(isSuccess(outcomeOf(ledger, { qos: 0 }))).toBe(false);
    expect(isSuccess(outcomeOf(ledger, { qos: 2 }))).toBe(false);
  });

  it('does not let a reordered reading pass', () => {
    expect(isSuccess(outcomeOf(ledgerOf(2, [1, 0])))).toBe(false);
  });

  it('does not call a run complete that gave up, but judges one that the user ended by what was sent', () => {
    const ledger = ledgerOf(1, [0]);
    expect(isSuccess(outcomeOf(ledger, { planned: 5, stalledSeconds: 10 }))).toBe(false);
    expect(isSuccess(outcomeOf(ledger, { planned: 5, interrupted: true }))).toBe(true);
    expect(reportLines(outcomeOf(ledger, { planned: 5, interrupted: true }))[0]).toBe(
      'stopped on request after 1 of 5 readings; of these:',
    );
  });
});
