import { describe, expect, it } from 'vitest';
import { compareRatios, hasRegressed } from '../../../bench/check/regression-check.js';

const recorded = [{ name: 'fan-in QoS 0', timesPeer: 50 }];

function verdict(timesPeer: number): string | undefined {
  return compareRatios(recorded, [{ name: 'fan-in QoS 0', timesPeer }], 0.25)[0]?.verdict;
}

describe('the regression guard', () => {
  it.each([
    [50, 'ok'],
    [80, 'ok'],
    [40, 'ok'],
    [39.9, 'dearer'],
    [10, 'dearer'],
  ])('says of %d × instead of 50 × that it is %s', (timesPeer, expected) => {
    expect(verdict(timesPeer)).toBe(expected);
  });

  it('fails for what is dearer, and for what could not be measured', () => {
    expect(hasRegressed(compareRatios(recorded, [{ name: 'fan-in QoS 0', timesPeer: 45 }], 0.25))).toBe(false);
    expect(hasRegressed(compareRatios(recorded, [{ name: 'fan-in QoS 0', timesPeer: 30 }], 0.25))).toBe(true);
    expect(hasRegressed(compareRatios(recorded, [], 0.25))).toBe(true);
  });

  it('does not fail for what was never recorded, and says so', () => {
    const comparisons = compareRatios([], [{ name: 'pairs QoS 0', timesPeer: 3 }], 0.25);
    expect(comparisons).toEqual([
      { name: 'pairs QoS 0', recorded: undefined, measured: 3, costBefore: undefined, verdict: 'not recorded' },
    ]);
    expect(hasRegressed(comparisons)).toBe(false);
  });
});
