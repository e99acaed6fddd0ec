import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from '../../../devices-sim/latency-histogram.js';

describe('LatencyHistogram', () => {
  it('says 0 when nothing was recorded', () => {
    expect(new LatencyHistogram().quantileMs(0.99)).toBe(0);
  });

  it('never says less than the true quantile, and at most 3.2 % more', () => {
    const histogram = new LatencyHistogram();
    for (let micros = 1; micros <= 100_000; micros += 1) histogram.record(micros / 1000);
    for (const quantile of [0.001, 0.1, 0.5, 0.9, 0.99, 0.999]) {
      const trueMs = quantile * 100;
      expect(histogram.quantileMs(quantile)).toBeGreaterThanOrEqual(trueMs - 0.001);
      expect(histogram.quantileMs(quantile)).toBeLessThanOrEqual(trueMs * 1.032);
    }
  });

  it('keeps the largest value exactly, and no quantile goes beyond it', () => {
    const histogram = new LatencyHistogram();
    histogram.record(0.2);
    histogram.record(1234.5678);
    expect(histogram.maxMs).toBe(1234.5678);
    expect(histogram.quantileMs(1)).toBe(1234.5678);
  });

  it('takes a negative latency as none', () => {
    const histogram = new LatencyHistogram();
    histogram.record(-3);
    expect(histogram.quantileMs(0.5)).toBe(0);
  });
});
