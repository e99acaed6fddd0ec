import { describe, expect, it } from 'vitest';
import { AgeingMap } from '../../../src/core/ageing-map.js';

describe('an ageing map', () => {
  it('keeps what is used, however much else comes by, and stays within its bound', () => {
    const map = new AgeingMap<number>(100);
    map.set('kept', 7);
    for (let i = 0; i < 10_000; i++) {
      map.set(`other ${i}`, i);
      if (i % 50 === 0) expect(map.get('kept')).toBe(7);
      expect(map.size).toBeLessThan(200);
    }
    expect(map.get('other 0')).toBeUndefined();
    for (let i = 9_950; i < 10_000; i++) expect(map.get(`other ${i}`)).toBe(i);
  });

  it('forgets what is deleted, and takes names such as __proto__', () => {
    const map = new AgeingMap<number>(2);
    for (const name of ['__proto__', 'constructor', 'x']) map.set(name, 1);
    expect(map.get('__proto__')).toBe(1);
    map.delete('__proto__');
    expect(map.get('__proto__')).toBeUndefined();
    expect(map.get('toString')).toBeUndefined();
  });
});
