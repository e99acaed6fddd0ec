import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../../src/core/token-bucket.js';

describe('a token bucket', () => {
  it('gives its burst at once, and its rate in the long run', () => {
    const bucket = new TokenBucket(10, 5, 0);
    let taken = 0;
    for (let nowMs = 0; nowMs <= 10_000; nowMs += 10) while (bucket.take(nowMs)) taken++;
    expect(taken).toBe(105);
  });

  it('in debt gives nothing until that is paid, and says when that will be', () => {
    const bucket = new TokenBucket(10, 5, 0);
    bucket.overdraw(25, 0);
    const waitMs = bucket.msUntilNext(0);
    expect(waitMs).toBe(2100);
    expect(bucket.take(waitMs - 1)).toBe(false);
    expect(bucket.take(waitMs)).toBe(true);
    expect(bucket.isFull(waitMs)).toBe(false);
    expect(bucket.isFull(waitMs + 500)).toBe(true);
  });

  it('takes no notice of a clock that stands', () => {
    const bucket = new TokenBucket(1000, 1, 5000);
    expect(bucket.take(5000)).toBe(true);
    expect(bucket.take(4000)).toBe(false);
  });
});
