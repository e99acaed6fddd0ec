import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/broker/broker-options.js';
import { OverloadGuard } from '../../../src/broker/overload-guard.js';
import { ManualClock } from '../../support/manual-clock.js';

class World {
  readonly clock = new ManualClock();
  readonly lines: string[] = [];
  heap = 0.5;
  resident = 0;
  readonly guard: OverloadGuard;

  constructor(limits: Partial<typeof DEFAULT_LIMITS> = {}) {
    const load = { heapShare: () => this.heap, residentBytes: () => this.resident };
    const write = (line: string) => void this.lines.push((JSON.parse(line) as { msg: string }).msg);
    this.guard = new OverloadGuard({ ...DEFAULT_LIMITS, ...limits }, this.clock, load, pino({}, { write }));
    this.guard.start();
  }

  /** Turns of the event loop that take so long each. */
  turns(count: number, ms: number): void {
    for (let i = 0; i < count; i++) this.clock.jump(ms);
  }
}

describe('the event loop', () => {
  it('may be busy, and may stop for a second now and then', () => {
    const world = new World();
    for (let i = 0; i < 20; i++) {
      world.turns(50, 150);
      world.turns(1, 1500);
    }
    expect(world.guard.state).toBe('normal');
    expect(world.lines).toEqual([]);
  });

  it('that is late all the time has new clients refused, until it has kept up for a while', () => {
    const world = new World();
    world.turns(5, 2500);
    expect(world.guard.state).toBe('busy');
    world.clock.advance(2000);
    expect(world.guard.state).toBe('busy');
    world.clock.advance(15_000);
    expect(world.guard.state).toBe('normal');
    expect(world.lines).toEqual([
      'the broker is overloaded: new clients are refused',
      'the broker keeps up again: new clients are let in',
    ]);
    expect(world.guard.times).toBe(1);
  });

  it('that stands still for long has connections closed at once', () => {
    const world = new World();
    world.turns(3, 10_000);
    expect(world.guard.state).toBe('full');
  });

  it('of a machine that slept is not late, unless it is so again and again', () => {
    const world = new World();
    world.turns(1, 8 * 3_600_000);
    expect([world.guard.state, world.guard.delayMs]).toEqual(['normal', 0]);
    world.clock.advance(1000);
    world.turns(1, 60_000);
    expect(world.guard.state).toBe('normal');
    world.turns(4, 60_000);
    expect(world.guard.state).toBe('full');
  });

  it('is not watched if nothing is', () => {
    const world = new World({ overloadDelayMs: 0, overloadHeapShare: 0 });
    expect(world.clock.pending).toBe(0);
  });
});

describe('memory', () => {
  it('of the heap counts by its part', () => {
    const world = new World();
    world.heap = 0.91;
    world.clock.advance(5000);
    expect(world.guard.state).toBe('normal');
    world.heap = 0.93;
    world.clock.advance(1100);
    expect(world.guard.state).toBe('busy');
    world.heap = 0.98;
    world.clock.advance(1100);
    expect(world.guard.state).toBe('full');
    // Just below the limit is not well below it.
    world.heap = 0.9;
    world.clock.advance(60_000);
    expect(world.guard.state).toBe('full');
    world.heap = 0.8;
    world.clock.advance(7000);
    expect(world.guard.state).toBe('normal');
  });

  it('that is resident counts if there is a limit', () => {
    const world = new World({ overloadResidentBytes: 1000 });
    world.resident = 1100;
    world.clock.advance(1100);
    expect(world.guard.state).toBe('busy');
    const other = new World();
    other.resident = Number.MAX_SAFE_INTEGER;
    other.clock.advance(1100);
    expect(other.guard.state).toBe('normal');
  });
});
