import { describe, expect, it } from 'vitest';
import type { InvalidQueueOption } from '../../../src/queues/queue-errors.js';
import {
  DEFAULT_QUEUE_OPTIONS,
  lastRetryDelayMs,
  type QueueOptions,
  retryDelayMs,
  validateQueueOptions,
} from '../../../src/queues/queue-options.js';

describe('options', () => {
  it('have defaults that are valid', () => {
    expect(validateQueueOptions({})).toEqual(DEFAULT_QUEUE_OPTIONS);
  });

  it.each([
    ['type', { type: 'stack' }],
    ['visibilityTimeoutMs', { visibilityTimeoutMs: -1 }],
    ['delayMs', { delayMs: 0.5 }],
    ['retentionMs', { retentionMs: 0 }],
    ['maxMessages', { maxMessages: Number.NaN }],
    ['maxInFlight', { maxInFlight: '5' }],
    ['overflow', { overflow: 'dead-letter-oldest' }],
    ['deadLetterExpired', { deadLetterExpired: true }],
    ['deadLetter.queue', { deadLetter: { queue: '', maxReceives: 3 } }],
    ['deadLetter.maxReceives', { deadLetter: { queue: 'd', maxReceives: 0 } }],
    ['retry.delaysMs', { retry: { delaysMs: [] } }],
    ['retry.capMs', { retry: { baseMs: 10, capMs: 5 } }],
    ['deduplication.by', { deduplication: { by: 'topic', windowMs: 5 } }],
    ['deduplication.windowMs', { deduplication: { by: 'id', windowMs: 0 } }],
    ['exclusive', { exclusive: 1 }],
    ['autoDeleteAfterMs', { autoDeleteAfterMs: -5 }],
    ['colour', { colour: 'red' }],
  ])('that make no sense are named: %s', (option, given) => {
    expect(() => validateQueueOptions(given as Partial<QueueOptions>)).toThrow(
      expect.objectContaining({ option, code: 'ERR_INVALID_QUEUE_OPTION' }) as InvalidQueueOption,
    );
  });
});

it('the ladder gives its last delay for all further attempts', () => {
  const ladder = { delaysMs: [10, 20] };
  expect([0, 1, 2, 3, 99].map((attempts) => retryDelayMs(ladder, attempts))).toEqual([10, 10, 20, 20, 20]);
  expect(lastRetryDelayMs(ladder)).toBe(20);
});

it('exponential delays double up to their cap', () => {
  const growing = { baseMs: 100, capMs: 1000 };
  expect([1, 2, 4, 5, 1000].map((attempts) => retryDelayMs(growing, attempts))).toEqual([100, 200, 800, 1000, 1000]);
  expect(lastRetryDelayMs(growing)).toBe(1000);
});
