import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CallbackTimer, TimingWheel } from '../../../src/core/timing-wheel.js';
import { ManualClock } from '../../support/manual-clock.js';

const START = 1_000_050;

function setUp(tickMs = 100) {
  const clock = new ManualClock(START);
  const wheel = new TimingWheel(clock, tickMs);
  const fired: { name: string; atMs: number }[] = [];
  const timer = (name: string) => new CallbackTimer((nowMs) => fired.push({ name, atMs: nowMs }));
  return { clock, wheel, fired, timer };
}

describe('TimingWheel', () => {
  it.each([0, 1, 49, 50, 51, 99, 100, 101, 5000, 51_200, 51_201, 400_000])(
    'fires a deadline in %i ms on the first tick at or after it',
    (delay) => {
      const { clock, wheel, fired, timer } = setUp();
      wheel.arm(timer('a'), START + delay);
      clock.advance(delay + 200);
      expect(fired.length).toBe(1);
      expect(fired[0]?.atMs).toBeGreaterThanOrEqual(START + delay);
      expect(fired[0]?.atMs).toBeLessThan(START + delay + 100 + (delay % 100 === 50 ? 1 : 0) + (delay < 50 ? 50 : 0));
      expect(wheel.size).toBe(0);
    },
  );

  it('never fires early and never more than a tick late, whatever is armed, moved and cancelled', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('arm' as const), timer: fc.nat(9), delay: fc.nat(120_000) }),
      fc.record({ kind: fc.constant('cancel' as const), timer: fc.nat(9), delay: fc.constant(0) }),
      fc.record({ kind: fc.constant('advance' as const), timer: fc.constant(0), delay: fc.nat(30_000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { clock, wheel } = setUp();
        const due = new Map<number, number>();
        const timers = Array.from(
          { length: 10 },
          (_, i) =>
            new CallbackTimer((nowMs) => {
              const expected = due.get(i);
              expect(expected).toBeDefined();
              expect(nowMs).toBeGreaterThanOrEqual(expected as number);
              expect(nowMs - (expected as number)).toBeLessThanOrEqual(100);
              due.delete(i);
            }),
        );
        for (const { kind, timer, delay } of steps) {
          if (kind === 'advance') clock.advance(delay);
          else if (kind === 'cancel') {
            wheel.cancel(timers[timer] as CallbackTimer);
            due.delete(timer);
          } else {
            wheel.arm(timers[timer] as CallbackTimer, clock.now() + delay);
            // A deadline that is due now fires on the next tick.
            due.set(timer, clock.now() + delay);
          }
          expect(wheel.size).toBe(due.size);
        }
        clock.advance(130_000);
        expect(due.size).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('asks the clock for nothing while nothing is armed', () => {
    const { clock, wheel, timer } = setUp();
    expect(clock.pending).toBe(0);
    wheel.arm(timer('a'), START + 1000);
    expect(clock.pending).toBe(1);
    clock.advance(1200);
    expect(clock.pending).toBe(0);
  });

  it('fires everything once after a long pause', () => {
    const { clock, wheel, fired, timer } = setUp();
    for (let i = 0; i < 1000; i++) wheel.arm(timer(String(i)), START + i * 250);
    clock.jump(10 * 3600 * 1000);
    expect(new Set(fired.map((one) => one.name)).size).toBe(1000);
    expect(fired.length).toBe(1000);
    clock.advance(60_000);
    expect(fired.length).toBe(1000);
  });

  it('fires what is due after a pause and leaves what is not', () => {
    const { clock, wheel, fired, timer } = setUp();
    wheel.arm(timer('far'), START + 3_600_000);
    wheel.arm(timer('near'), START + 1000);
    clock.jump(1_800_000);
    expect(fired.map((one) => one.name)).toEqual(['near']);
    clock.advance(1_799_000);
    expect(fired.length).toBe(1);
    clock.advance(1200);
    expect(fired.map((one) => one.name)).toEqual(['near', 'far']);
  });

  it('lets a callback arm its own timer again', () => {
    const { clock, wheel } = setUp();
    const firedAt: number[] = [];
    const timer = new CallbackTimer((nowMs) => {
      firedAt.push(nowMs);
      if (firedAt.length < 5) wheel.arm(timer, nowMs + 1000);
    });
    wheel.arm(timer, START + 1000);
    clock.advance(20_000);
    expect(firedAt.length).toBe(5);
    for (let i = 1; i < 5; i++)
      expect((firedAt[i] as number) - (firedAt[i - 1] as number)).toBeGreaterThanOrEqual(1000);
  });

  it('lets a callback arm a deadline that is past already, without looping', () => {
    const { clock, wheel } = setUp();
    let fired = 0;
    const timer = new CallbackTimer(() => {
      fired++;
      wheel.arm(timer, 0);
    });
    wheel.arm(timer, 0);
    clock.advance(1000);
    expect(fired).toBeGreaterThanOrEqual(9);
    expect(fired).toBeLessThanOrEqual(10);
  });

  it('lets a callback cancel or put off another that is due in the same tick', () => {
    const { clock, wheel, fired, timer } = setUp();
    const cancelled = timer('cancelled');
    const moved = timer('moved');
    const actor = () =>
      new CallbackTimer(() => {
        wheel.cancel(cancelled);
        if (moved.dueAtMs === START + 1000) wheel.arm(moved, START + 5000);
      });
    // Whatever order a slot has, one of the two acts first.
    const [before, after] = [actor(), actor()];
    wheel.arm(before, START + 1000);
    wheel.arm(cancelled, START + 1000);
    wheel.arm(moved, START + 1000);
    wheel.arm(after, START + 1000);
    clock.advance(1200);
    expect(fired).toEqual([]);
    clock.advance(5000);
    expect(fired.map((one) => one.name)).toEqual(['moved']);
  });

  it('forgets everything when it is stopped', () => {
    const { clock, wheel, fired, timer } = setUp();
    for (let i = 0; i < 100; i++) wheel.arm(timer('x'), START + i * 1000);
    wheel.stop();
    expect(wheel.size).toBe(0);
    expect(clock.pending).toBe(0);
    clock.advance(200_000);
    expect(fired).toEqual([]);
    wheel.arm(timer('again'), clock.now() + 500);
    clock.advance(1000);
    expect(fired.length).toBe(1);
  });
});
