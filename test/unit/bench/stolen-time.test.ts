import { describe, expect, it } from 'vitest';
import { readCoreTicks, stolenShare } from '../../../bench/durable/stolen-time.js';

const STAT = 'cpu  100 5 40 800 10 0 15 30 7 0\ncpu0 50 2 20 400 5 0 8 15 3 0\nintr 1 2 3\n';

describe('Stolen time', () => {
  it('is read for all cores together, and guests are not counted twice', () => {
    expect(readCoreTicks(STAT)).toEqual({ total: 1000, stolen: 30 });
  });

  it('is not known to a kernel that does not tell', () => {
    expect(readCoreTicks('cpu  100 5 40 800\n')).toBeUndefined();
    expect(readCoreTicks('')).toBeUndefined();
  });

  it('is a share of what has gone by', () => {
    expect(stolenShare({ total: 1000, stolen: 30 }, { total: 1200, stolen: 80 })).toBe(0.25);
    expect(stolenShare(undefined, { total: 1200, stolen: 80 })).toBeUndefined();
    expect(stolenShare({ total: 1000, stolen: 30 }, { total: 1000, stolen: 30 })).toBeUndefined();
  });
});
