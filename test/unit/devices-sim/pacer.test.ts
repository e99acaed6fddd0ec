import { describe, expect, it } from 'vitest';
import { SteadyPacer } from '../../../devices-sim/pacer.js';
import { SeededRandom } from '../../../devices-sim/seeded-random.js';
import { FakeClock } from '../../support/fake-clock.js';

const never = new AbortController().signal;

/** The times at which `count` readings are due; `workMs` is how long the device is busy with each. */
async function dueTimes(seed: number, count: number, workMs = (_index: number) => 0): Promise<number[]> {
  const clock = new FakeClock();
  const pacer = new SteadyPacer(clock, new SeededRandom(seed), 10);
  const times: number[] = [];
  const replay = (async () => {
    for (let index = 0; index < count; index += 1) {
      await pacer.untilNextIsDue(never);
      times.push(clock.now());
      if (workMs(index) > 0) await new Promise<void>((resolve) => clock.schedule(workMs(index), resolve));
    }
  })();
  await clock.advance(60_000);
  await replay;
  return times;
}

describe('SteadyPacer', () => {
  it('keeps to its rate: reading n is due n intervals after the first, give or take the jitter', async () => {
    const times = await dueTimes(1, 50);
    const [first = 0] = times;
    expect(first).toBeLessThan(120);
    for (const [index, time] of times.entries()) {
      expect(Math.abs(time - first - index * 100)).toBeLessThanOrEqual(20);
    }
  });

  it('gives the same times for the same seed and other times for another', async () => {
    expect(await dueTimes(7, 10)).toEqual(await dueTimes(7, 10));
    expect(await dueTimes(7, 10)).not.toEqual(await dueTimes(8, 10));
  });

  it('catches up after a slow acknowledgement instead of falling behind for good', async () => {
    const undisturbed = await dueTimes(3, 20);
    const delayed = await dueTimes(3, 20, (index) => (index === 4 ? 450 : 0));
    expect(delayed[6]).toBeGreaterThan(undisturbed[6] ?? Number.POSITIVE_INFINITY);
    expect(delayed.slice(10)).toEqual(undisturbed.slice(10));
  });

  it('wakes at once when the run is stopped', async () => {
    const stop = new AbortController();
    const pacer = new SteadyPacer(new FakeClock(), new SeededRandom(1), 0.001);
    const due = pacer.untilNextIsDue(stop.signal);
    stop.abort();
    await expect(due).resolves.toBeUndefined();
  });
});
