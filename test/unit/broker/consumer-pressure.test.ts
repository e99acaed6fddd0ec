import { describe, expect, it } from 'vitest';
import { ConsumerPressure } from '../../../src/broker/consumer-pressure.js';
import { TimingWheel } from '../../../src/core/timing-wheel.js';
import { ManualClock } from '../../support/manual-clock.js';

function setUp() {
  const clock = new ManualClock();
  const pressure = new ConsumerPressure(new TimingWheel(clock), 200);
  const released: string[] = [];
  const publisher = (name: string) => ({ onReleased: () => released.push(name) });
  return { clock, pressure, released, publisher };
}

describe('ConsumerPressure', () => {
  it('holds publishers until the client has caught up', () => {
    const { clock, pressure, released, publisher } = setUp();
    pressure.begin();
    expect([pressure.hold(publisher('a')), pressure.hold(publisher('b'))]).toEqual([true, true]);
    clock.advance(100);
    pressure.release();
    expect(released).toEqual(['a', 'b']);
    clock.advance(1000);
    expect(released).toEqual(['a', 'b']);
    expect(pressure.isStalled).toBe(false);
  });

  it('holds nobody beyond the grace, nor anybody more until the client has caught up', () => {
    const { clock, pressure, released, publisher } = setUp();
    pressure.begin();
    pressure.hold(publisher('a'));
    clock.advance(150);
    pressure.hold(publisher('b'));
    clock.advance(150);
    expect(released).toEqual(['a', 'b']);
    expect(pressure.isStalled).toBe(true);
    expect(pressure.hold(publisher('c'))).toBe(false);
    pressure.release();
    pressure.begin();
    expect(pressure.hold(publisher('c'))).toBe(true);
  });

  it('gives the grace time from when the client fell behind, not from when somebody waits', () => {
    const { clock, pressure, publisher } = setUp();
    expect(pressure.hold(publisher('too early'))).toBe(false);
    pressure.begin();
    clock.advance(300);
    expect(pressure.hold(publisher('too late'))).toBe(false);
  });

  it('tells released publishers whether they waited in vain', () => {
    const { clock, pressure } = setUp();
    const inVain: boolean[] = [];
    const publisher = { onReleased: (vain: boolean) => inVain.push(vain) };
    pressure.begin();
    pressure.hold(publisher);
    pressure.release();
    expect(pressure.hasCaughtUp).toBe(true);
    pressure.begin();
    pressure.hold(publisher);
    clock.advance(300);
    expect(inVain).toEqual([false, true]);
  });
});
