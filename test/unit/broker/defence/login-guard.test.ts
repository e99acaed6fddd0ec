import { describe, expect, it } from 'vitest';
import { DEFAULT_DEFENCE } from '../../../../src/broker/defence/defence-options.js';
import { LoginGuard } from '../../../../src/broker/defence/login-guard.js';
import { ManualClock } from '../../../support/manual-clock.js';

const OPTIONS = {
  ...DEFAULT_DEFENCE,
  loginAttempts: 3,
  loginFirstWaitMs: 1000,
  loginLongestWaitMs: 8000,
  loginAttemptsPerAddress: 10,
  loginAttemptsPerUser: 20,
  loginUserDelayMs: 500,
  loginForgetAfterMs: 60_000,
};

function world(options = OPTIONS) {
  const clock = new ManualClock();
  const guard = new LoginGuard(options, clock);
  const fail = (address: string, user: string | null, times = 1): number => {
    let waitMs = 0;
    for (let i = 0; i < times; i++) waitMs = guard.onFailure(address, user);
    return waitMs;
  };
  return { clock, guard, fail };
}

describe('failures of one user from one address', () => {
  it('make it wait, longer each time, up to a bound', () => {
    const { clock, guard, fail } = world();
    expect(fail('10.0.0.1', 'ann', 2)).toBe(0);
    expect(guard.waitMs('10.0.0.1', 'ann')).toBe(0);
    const waits = [1, 2, 3, 4, 5].map(() => fail('10.0.0.1', 'ann'));
    expect(waits).toEqual([1000, 2000, 4000, 8000, 8000]);
    clock.advance(7999);
    expect(guard.waitMs('10.0.0.1', 'ann')).toBe(1);
    clock.advance(1);
    expect(guard.waitMs('10.0.0.1', 'ann')).toBe(0);
  });

  it('keep neither that user away at another address, nor others at this one', () => {
    const { guard, fail } = world();
    fail('10.0.0.1', 'ann', 5);
    expect(guard.waitMs('10.0.0.2', 'ann')).toBe(0);
    expect(guard.waitMs('10.0.0.1', 'bob')).toBe(0);
  });

  it('are forgiven by a success, or by time', () => {
    const { clock, guard, fail } = world();
    fail('10.0.0.1', 'ann', 2);
    guard.onSuccess('10.0.0.1', 'ann');
    expect(fail('10.0.0.1', 'ann', 2)).toBe(0);
    clock.advance(60_001);
    expect(fail('10.0.0.1', 'ann', 2)).toBe(0);
    expect(fail('10.0.0.1', 'ann')).toBe(1000);
  });
});

describe('failures of one address', () => {
  it('make all of it wait after many more, and a success of one user does not change that', () => {
    const { guard, fail } = world();
    for (let i = 0; i < 5; i++) fail('10.0.0.1', `user ${i}`, 2);
    guard.onSuccess('10.0.0.1', 'eve');
    expect(guard.waitMs('10.0.0.1', 'anybody')).toBe(1000);
    expect(guard.waitMs('10.0.0.1', null)).toBe(1000);
    expect(guard.waitMs('10.0.0.2', 'anybody')).toBe(0);
  });

  it('are those of a /64 of IPv6', () => {
    const { guard, fail } = world();
    for (let i = 0; i < 10; i++) fail(`2001:db8::${i + 1}`, null);
    expect(guard.waitMs('2001:db8::ffff', 'ann')).toBe(1000);
  });
});

describe('failures of one user from everywhere', () => {
  it('slow its logins down, and never lock it out', () => {
    const { guard, fail } = world();
    for (let i = 0; i < 20; i++) fail(`10.0.1.${i}`, 'ann');
    expect(guard.waitMs('10.9.9.9', 'ann')).toBe(0);
    expect(guard.delayMs('ann')).toBe(500);
    expect(guard.delayMs('bob')).toBe(0);
    guard.onSuccess('10.9.9.9', 'ann');
    expect(guard.delayMs('ann')).toBe(0);
  });
});

it('nothing is counted when it is switched off', () => {
  const { guard, fail } = world({ ...OPTIONS, loginAttempts: 0 });
  expect(fail('10.0.0.1', 'ann', 1000)).toBe(0);
  expect(guard.waitMs('10.0.0.1', 'ann')).toBe(0);
  expect(guard.delayMs('ann')).toBe(0);
});
