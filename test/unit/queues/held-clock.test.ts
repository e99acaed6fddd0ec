import { expect, it } from 'vitest';
import { HeldClock } from '../../../src/queues/held-clock.js';
import { ManualClock } from '../../support/manual-clock.js';

it('calls nobody until it is released, and then everybody who has not been cancelled, when it is due', () => {
  const clock = new ManualClock();
  const held = new HeldClock(clock);
  const called: string[] = [];
  held.schedule(10, () => called.push('over'));
  held.schedule(100, () => called.push('later'));
  const cancelBefore = held.schedule(10, () => called.push('cancelled before'));
  const cancelAfter = held.schedule(100, () => called.push('cancelled after'));
  cancelBefore();
  clock.advance(50);
  expect(called).toEqual([]);
  held.release();
  cancelAfter();
  clock.advance(1);
  expect(called).toEqual(['over']);
  clock.advance(49);
  expect(called).toEqual(['over', 'later']);
  held.schedule(5, () => called.push('new'));
  clock.advance(5);
  expect(called).toEqual(['over', 'later', 'new']);
});
