import { describe, expect, it } from 'vitest';
import { QueueCounters } from '../../../src/queues/queue-counters.js';
import { RateMeters } from '../../../src/queues/rate-meters.js';
import { QueueWorld } from '../../support/queue-world.js';

describe('rates of a queue', () => {
  it('are those of the last minutes, whenever they are read', () => {
    const counters = new QueueCounters();
    const meters = new RateMeters(counters, 0);
    for (let second = 1; second <= 600; second++) {
      meters.update(second * 1000);
      counters.enqueued += 20;
    }
    expect(meters.read(600_000).enqueued.lastMinute).toBeCloseTo(20, 1);
    expect(meters.read(600_000).enqueued.lastFiveMinutes).toBeCloseTo(20, 1);
    expect(meters.read(600_000).received).toEqual({ lastMinute: 0, lastFiveMinutes: 0 });
    // A minute later nothing has come: what is left is 1/e, and e^-0.2.
    const { lastMinute, lastFiveMinutes } = meters.read(660_000).enqueued;
    expect(lastMinute).toBeGreaterThan(20 / Math.E - 1);
    expect(lastMinute).toBeLessThan(20 / Math.E + 1);
    expect(lastFiveMinutes).toBeGreaterThan(15);
    expect(lastFiveMinutes).toBeLessThan(18);
    expect(meters.read(7_200_000).enqueued.lastFiveMinutes).toBeLessThan(0.001);
  });

  it('are right from the first seconds on', () => {
    const counters = new QueueCounters();
    const meters = new RateMeters(counters, 0);
    expect(meters.read(4999).enqueued.lastMinute).toBe(0);
    counters.enqueued = 50;
    expect(meters.read(5000).enqueued.lastMinute).toBeCloseTo(10);
    expect(meters.read(5000).enqueued.lastFiveMinutes).toBeCloseTo(10);
  });

  it('do not take what came long ago for what came since', () => {
    const counters = new QueueCounters();
    const meters = new RateMeters(counters, 0);
    counters.enqueued = 100_000;
    expect(meters.read(3_600_000).enqueued.lastMinute).toBeLessThan(0.001);
  });

  it('bear a clock that is set back', () => {
    const meters = new RateMeters(new QueueCounters(), 1_000_000);
    expect(meters.read(0).enqueued.lastMinute).toBe(0);
  });

  it('stand in the statistics with totals', () => {
    const world = new QueueWorld();
    const queue = world.queue('q', { deduplication: { by: 'id', windowMs: 60_000 } });
    for (let n = 0; n < 10; n++) world.enqueue(queue, 'x', { deduplicationId: `${n % 5}` });
    queue.acknowledge(world.take(queue, 4).map((delivery) => delivery.receiptHandle));
    world.clock.advance(5000);
    const { totals, rates } = queue.statistics;
    expect(totals).toMatchObject({ enqueued: 5, duplicates: 5, receives: 4, acknowledged: 4, deadLetters: 0 });
    expect(totals.dropped).toMatchObject({ expired: 0, compacted: 0 });
    expect(rates.enqueued.lastMinute).toBeCloseTo(1);
    expect(rates.received.lastMinute).toBeCloseTo(0.8);
    expect(rates.acknowledged.lastMinute).toBeCloseTo(0.8);
  });
});
