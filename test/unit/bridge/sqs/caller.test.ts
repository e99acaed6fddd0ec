import { expect, it } from 'vitest';
import { ANYBODY, Caller } from '../../../../src/bridge/sqs/caller.js';

it.each([
  ['orders', 'orders', true],
  ['orders', 'orders2', false],
  ['orders', 'xorders', false],
  ['orders-*', 'orders-', true],
  ['orders-*', 'orders-1.fifo', true],
  ['orders-*', 'orders', false],
  ['*.fifo', 'q.fifo', true],
  ['*.fifo', 'qxfifo', false],
  ['a*b*c', 'a-b-c', true],
  ['a*b*c', 'a-c-b', false],
  ['**', 'anything', true],
  ['(a|b)', 'a', false],
  ['ab*bc', 'abc', false],
  ['ab*bc', 'abbc', true],
  ['*a*a', 'a', false],
])('the pattern %s and the queue %s: %s', (pattern, queue, isMatch) => {
  const caller = new Caller('k', [{ queues: [pattern], allow: ['send'] }]);
  expect([caller.may('send', queue), caller.may('receive', queue), caller.mayKnow(queue)]).toEqual([
    isMatch,
    false,
    isMatch,
  ]);
});

it('several grants add up', () => {
  const caller = new Caller('k', [
    { queues: ['a', 'b'], allow: ['send'] },
    { queues: ['b'], allow: ['receive'] },
  ]);
  expect(['a', 'b', 'c'].map((queue) => [caller.may('send', queue), caller.may('receive', queue)])).toEqual([
    [true, false],
    [true, true],
    [false, false],
  ]);
});

it('anybody may do anything', () => {
  expect((['receive', 'send', 'manage'] as const).every((permission) => ANYBODY.may(permission, 'q'))).toBe(true);
});

it('many wildcards cost no time that anybody would notice', () => {
  const caller = new Caller('k', [{ queues: ['*a'.repeat(20)], allow: ['send'] }]);
  const started = performance.now();
  expect(caller.may('send', `${'a'.repeat(79)}b`)).toBe(false);
  expect(performance.now() - started).toBeLessThan(200);
});
