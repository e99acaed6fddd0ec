/** When a target is left alone, and for how long. */
import { describe, expect, it } from 'vitest';
import { CircuitBreaker, GONE_WAIT_MS } from '../../../../src/bridge/push/circuit-breaker.js';
import { ManualClock } from '../../../support/manual-clock.js';

const OPTIONS = { failures: 3, firstWaitMs: 1000, longestWaitMs: 5000 };

class World {
  readonly clock = new ManualClock();
  probes = 0;
  readonly breaker = new CircuitBreaker(OPTIONS, this.clock, () => {
    this.probes++;
  });

  fail(times: number): void {
    for (let i = 0; i < times; i++) this.breaker.onFailed();
  }

  /** Lets time pass until the target is probed. @returns seconds */
  untilProbe(): number {
    const before = this.probes;
    let ms = 0;
    while (this.probes === before && ms < 2 * GONE_WAIT_MS) {
      this.clock.advance(100);
      ms += 100;
    }
    return ms / 1000;
  }
}

describe('a circuit breaker', () => {
  it('lets as many requests begin as are not in flight', () => {
    const { breaker } = new World();
    expect([breaker.state, breaker.roomFor(0, 4), breaker.roomFor(3, 4), breaker.roomFor(5, 4)]).toEqual([
      'up',
      4,
      1,
      0,
    ]);
  });

  it('opens after so many failures in a row, and not for as many that have a success between them', () => {
    const world = new World();
    world.fail(2);
    world.breaker.onDelivered();
    world.fail(2);
    expect(world.breaker.state).toBe('up');
    world.fail(1);
    expect([world.breaker.state, world.breaker.isWaiting, world.breaker.roomFor(0, 4)]).toEqual(['down', true, 0]);
  });

  it('lets one request probe, and waits twice as long each time that it fails, up to the longest wait', () => {
    const world = new World();
    world.fail(3);
    const waits = [1, 2, 3, 4, 5].map(() => {
      const seconds = world.untilProbe();
      expect([world.breaker.roomFor(0, 4), world.breaker.roomFor(1, 4)]).toEqual([1, 0]);
      world.fail(1);
      return seconds;
    });
    expect(waits).toEqual([1, 2, 4, 5, 5]);
  });

  it('closes when a probe succeeds, and begins with the first wait next time', () => {
    const world = new World();
    world.fail(3);
    world.untilProbe();
    world.fail(1);
    world.untilProbe();
    world.breaker.onDelivered();
    expect([world.breaker.state, world.breaker.roomFor(0, 4)]).toEqual(['up', 4]);
    world.fail(3);
    expect(world.untilProbe()).toBe(1);
  });

  it('goes on waiting whatever comes of requests that began before', () => {
    const world = new World();
    world.fail(7);
    world.breaker.onDelivered();
    world.breaker.onThrottled(60_000);
    expect(world.breaker.state).toBe('down');
    expect(world.untilProbe()).toBe(1);
  });

  it('waits as long as the target asks for, and the longest of several times', () => {
    const world = new World();
    world.breaker.onThrottled(3000);
    world.breaker.onThrottled(7000);
    world.breaker.onThrottled(2000);
    expect(world.breaker.state).toBe('paused');
    expect(world.untilProbe()).toBe(7);
    world.breaker.onDelivered();
    expect(world.breaker.state).toBe('up');
  });

  it('looks after a target that is gone once an hour', () => {
    const world = new World();
    world.breaker.onGone();
    expect(world.breaker.state).toBe('gone');
    world.breaker.onThrottled(10);
    world.fail(3);
    expect(world.untilProbe()).toBe(3600);
    world.breaker.onGone();
    expect(world.untilProbe()).toBe(3600);
    world.breaker.onDelivered();
    expect(world.breaker.state).toBe('up');
  });

  it('leaves no timer behind', () => {
    const world = new World();
    world.fail(3);
    world.breaker.stop();
    expect(world.clock.pending).toBe(0);
  });
});
