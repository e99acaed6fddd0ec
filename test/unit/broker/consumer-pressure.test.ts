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
    pressure.hold(publisher('a'));
    clock.advance(150);
    pressure.hold(publisher('b'));
    clock.advance(150);
    expect(released).toEqual(['a', 'b']);
    expect(pressure.isStalled).toBe(true);
    expect(pressure.hold(publisher('c'))).toBe(false);
    pressure.release();
    expect(pressure.hold(publisher('c'))).toBe(true);
  });

  it('lets a publisher be held again while it is released', () => {
    const { pressure } = setUp();
    let times = 0;
    const again = {
      onReleased: () => {
        times++;
        if (times < 3) pressure.hold(again);
      },
    };
    pressure.hold(again);
    pressure.release();
    expect(times).toBe(1);
    pressure.release();
    expect(times).toBe(2);
  });
});
