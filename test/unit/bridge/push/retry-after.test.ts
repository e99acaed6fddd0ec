/** Retry-After, in seconds and in the three forms of dates that HTTP has. */
import { describe, expect, it } from 'vitest';
import { parseRetryAfter } from '../../../../src/bridge/push/retry-after.js';

const NOW = Date.UTC(1994, 10, 6, 8, 49, 7);

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    ['120', 120_000],
    [' 3 ', 3000],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 30_000],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 30_000],
    ['Sun Nov  6 08:49:37 1994', 30_000],
    ['Sun, 06 Nov 1994 08:49:07 GMT', 0],
    ['Sun, 06 Nov 1988 08:49:37 GMT', 0],
    ['Mon, 07 Nov 1994 08:49:07 GMT', 86_400_000],
  ])('%j is %i ms', (text, expected) => {
    expect(parseRetryAfter(text, NOW)).toBe(expected);
  });

  it.each([
    '',
    '-1',
    '1.5',
    '1e3',
    '0x10',
    'soon',
    '5 s',
    '1, 2',
    'Sun, 06 Foo 1994 08:49:37 GMT',
    '1994-11-06',
    'Sun, 06 Nov 1994 08:49:37 CET',
  ])('%j says nothing', (text) => {
    expect(parseRetryAfter(text, NOW)).toBeNull();
  });

  it('takes two digits of a year for the nearest that is not more than 50 years ahead', () => {
    const now = Date.UTC(2026, 0, 1);
    expect(parseRetryAfter('Friday, 01-Jan-27 00:00:00 GMT', now)).toBe(365 * 86_400_000);
    expect(parseRetryAfter('Saturday, 01-Jan-77 00:00:00 GMT', now)).toBe(0);
  });
});
